//! Which addresses may be reached: the public ones, and of the others only the networks that the
//! connection names. The resolver that filters is the one that connects, so a name cannot mean one
//! address when it is checked and another when it is used.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Limits;
use crate::model::Message;

/// A network: an address and how many of its leading bits count.
pub type Network = (IpAddr, u8);

/// Reads `172.16.0.0/12`, `fd00::/8` or a single address.
pub fn network(text: &str) -> Option<Network> {
    let (address, prefix) = text.trim().split_once('/').map_or((text.trim(), None), |(a, p)| (a, Some(p)));
    let address: IpAddr = address.parse().ok()?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map_or(Some(whole), |p| p.parse().ok())?;
    (prefix <= whole).then_some((address, prefix))
}

/// Scheme, host and port of an address: nothing of it that may be a secret.
pub(super) fn host(base: &str) -> String {
    let Ok(url) = Url::parse(base) else { return String::new() };
    let port = url.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

/// Networks that are not the public internet (IANA special-purpose registries).
const CLOSED_V4: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Of IPv6 only what is handed out for global unicast (2000::/3) is public, without these.
const CLOSED_V6: [(Ipv6Addr, u8); 3] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Whether a connection that names these networks may reach `address`.
pub fn may_reach(address: IpAddr, allowed: &[Network]) -> bool {
    let inner = v4_within(address);
    if allowed.iter().any(|network| within(address, *network) || within(inner, *network)) {
        return true;
    }
    match inner {
        IpAddr::V4(_) => !CLOSED_V4.iter().any(|(net, prefix)| within(inner, (IpAddr::V4(*net), *prefix))),
        IpAddr::V6(_) => {
            within(inner, (IpAddr::V6(GLOBAL_V6.0), GLOBAL_V6.1))
                && !CLOSED_V6.iter().any(|(net, prefix)| within(inner, (IpAddr::V6(*net), *prefix)))
        }
    }
}

/// The IPv4 address that an IPv6 one stands for (mapped, NAT64, 6to4), else the address itself.
fn v4_within(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let v4 = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => v4(g, h),
        [0x2002, ..] => v4(b, c),
        _ => address,
    }
}

fn within(address: IpAddr, (network, prefix): Network) -> bool {
    let (address, network, width) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => (u128::from(a.to_bits()), u128::from(n.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(n)) => (a.to_bits(), n.to_bits(), 128),
        _ => return false,
    };
    let dropped = width - u32::from(prefix).min(width);
    dropped == 128 || address >> dropped == network >> dropped
}

/// The base address of a system, checked: http or https, a host that may be reached, nothing else
/// in it that could carry a secret.
pub(super) fn base(system: &str, text: &str, limits: &Limits) -> Result<String, Message> {
    let problem = |id: &str| Message::new(id).with("system", system);
    let url = Url::parse(text.trim()).map_err(|_| problem("connect-url-invalid"))?;
    match url.scheme() {
        "https" => {}
        "http" if limits.allow_plaintext => {}
        "http" => return Err(problem("connect-url-plaintext")),
        _ => return Err(problem("connect-url-invalid")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(problem("connect-url-credentials"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(problem("connect-url-invalid"));
    }
    let host = url.host_str().ok_or_else(|| problem("connect-url-invalid"))?;
    // The resolver is not asked about addresses written as numbers.
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    if literal.is_ok_and(|address| !may_reach(address, &limits.allow_networks)) {
        return Err(problem("connect-address-refused").with("host", host));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Resolves names and hands out only addresses that may be reached.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) allowed: Arc<[Network]>,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.allowed.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let open: Vec<_> = found.into_iter().filter(|a| may_reach(a.ip(), &allowed)).collect();
            if open.is_empty() {
                return Err(Refused(name.as_str().to_owned()).into());
            }
            Ok(Box::new(open.into_iter()) as Addrs)
        })
    }
}

/// A host whose every address is in a network that may not be reached.
#[derive(Debug)]
pub(super) struct Refused(pub(super) String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is in a network that is not allowed", self.0)
    }
}

impl std::error::Error for Refused {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_open() {
        for (address, open) in [
            ("93.184.216.34", true),
            ("2606:4700::1111", true),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.31.255.255", false),
            ("172.32.0.1", true),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::1", false),
            ("::", false),
            ("fd00::1", false),
            ("fe80::1", false),
            ("ff02::1", false),
            ("::ffff:10.0.0.1", false),
            ("::ffff:93.184.216.34", true),
            ("64:ff9b::a00:1", false),
            ("2002:a00:1::", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(may_reach(address.parse().unwrap(), &[]), open, "{address}");
        }
    }

    #[test]
    fn a_named_network_opens_only_itself() {
        let allowed = [network("172.16.0.0/12").unwrap(), network("fd12::/16").unwrap()];
        for (address, open) in [
            ("172.20.0.5", true),
            ("::ffff:172.20.0.5", true),
            ("10.0.0.1", false),
            ("fd12::5", true),
            ("fd13::5", false),
        ] {
            assert_eq!(may_reach(address.parse().unwrap(), &allowed), open, "{address}");
        }
        assert!(may_reach("::1".parse().unwrap(), &[network("::/0").unwrap()]));
    }

    #[test]
    fn networks_as_people_write_them() {
        assert_eq!(network(" 10.0.0.0/8 "), Some(("10.0.0.0".parse().unwrap(), 8)));
        assert_eq!(network("10.0.0.1"), Some(("10.0.0.1".parse().unwrap(), 32)));
        for text in ["10.0.0.0/33", "::/129", "10/8", "host/8", "10.0.0.0/", ""] {
            assert_eq!(network(text), None, "{text}");
        }
    }

    #[test]
    fn base_addresses() {
        let open = Limits { allow_plaintext: true, ..Limits::default() };
        let close = Limits::default();
        let id = |text: &str, limits: &Limits| base("ham", text, limits).map_err(|m| m.id);
        assert_eq!(id("https://a.example.test/api/", &close), Ok("https://a.example.test/api".into()));
        assert_eq!(id("http://a.example.test", &open), Ok("http://a.example.test".into()));
        for (text, limits, expected) in [
            ("http://a.example.test", &close, "connect-url-plaintext"),
            ("ftp://a.example.test", &open, "connect-url-invalid"),
            ("file:///etc/passwd", &open, "connect-url-invalid"),
            ("a.example.test", &close, "connect-url-invalid"),
            ("https://user:pass@a.example.test", &close, "connect-url-credentials"),
            ("https://a.example.test/?key=1", &close, "connect-url-invalid"),
            ("https://127.0.0.1", &close, "connect-address-refused"),
            ("https://2130706433", &close, "connect-address-refused"),
            ("https://[::1]:8443", &close, "connect-address-refused"),
            ("https://[::ffff:10.0.0.1]", &close, "connect-address-refused"),
        ] {
            assert_eq!(id(text, limits), Err(expected.to_owned()), "{text}");
        }
    }
}
