//! Values of settings: from the text a person writes to the thing it means.
//!
//! Each reader refuses with a key of the message catalogue; the reader of sections turns that into a
//! mistake at the value's place.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use croner::Cron;
use jiff::tz::TimeZone;
use secrecy::SecretString;
use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A network: an address and how many of its first bits are fixed.
pub type Network = (IpAddr, u8);

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
/// Ten years: more is a slip of the finger.
const LONGEST: Duration = Duration::from_secs(3650 * 86_400);

/// Reads `30s`, `5m`, `1h30m`, `30d`, `500ms`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (_, millis) = UNITS.into_iter().find(|(unit, _)| *unit == &rest[..letters])?;
        rest = rest[letters..].trim_start();
        total = total.checked_add(Duration::from_millis(number.checked_mul(millis)?))?;
    }
    (!text.trim().is_empty() && total <= LONGEST).then_some(total)
}

/// Writes a duration as it is written in the configuration (`1h30m`).
pub fn show_duration(duration: Duration) -> String {
    let mut millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, size) in UNITS {
        if millis >= size {
            text.push_str(&format!("{}{unit}", millis / size));
            millis %= size;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Reads `172.16.0.0/12`, `::1/128`, or a single address.
pub fn parse_network(text: &str) -> Option<Network> {
    let (address, bits) = match text.trim().split_once('/') {
        Some((address, bits)) => (address.parse::<IpAddr>().ok()?, Some(bits.parse::<u8>().ok()?)),
        None => (text.trim().parse().ok()?, None),
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    (bits <= most).then_some((address, bits))
}

/// Whether `address` lies in one of the networks. An IPv4 address in IPv6 form is the IPv4 one.
pub fn is_within(address: IpAddr, networks: &[Network]) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|(network, bits)| match (network.to_canonical(), address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let differ = network.to_bits() ^ address.to_bits();
            differ.checked_shr(32 - u32::from(*bits).min(32)).unwrap_or(0) == 0
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let differ = network.to_bits() ^ address.to_bits();
            differ.checked_shr(128 - u32::from(*bits).min(128)).unwrap_or(0) == 0
        }
        _ => false,
    })
}

/// What is wrong with a web address, as a key of the catalogue; plain http is right here.
pub fn check_url(text: &str) -> Result<(), &'static str> {
    let (scheme, rest) = text.split_once("://").ok_or("config-bad-url")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let known = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    if known && authority.contains('@') {
        return Err("config-url-credentials");
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '\\' && c != '<' && c != '>';
    let port_ok = port.is_none_or(|port| port.parse::<u16>().is_ok());
    if known && !host.is_empty() && port_ok && rest.chars().all(plain) && !rest.contains(['?', '#']) {
        Ok(())
    } else {
        Err("config-bad-url")
    }
}

/// Whether an address is plain http.
pub fn is_plaintext(url: &str) -> bool {
    url.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("http://"))
}

struct Text<T>(fn(&str) -> Result<T, &'static str>);

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }
}

fn text<'de, D: Deserializer<'de>, T>(
    d: D,
    read: fn(&str) -> Result<T, &'static str>,
) -> Result<T, D::Error> {
    d.deserialize_str(Text(read))
}

fn filled(text: &str) -> Result<&str, &'static str> {
    let text = text.trim();
    if text.is_empty() { Err("config-empty") } else { Ok(text) }
}

/// A text that is not empty.
pub fn word<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    text(d, |t| filled(t).map(str::to_owned)).map(Some)
}

/// A duration above zero.
pub fn duration<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    text(d, |t| match parse_duration(t).ok_or("config-bad-duration")? {
        Duration::ZERO => Err("config-zero"),
        duration => Ok(duration),
    })
}

/// A duration, where there may be none.
pub fn some_duration<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Duration>, D::Error> {
    duration(d).map(Some)
}

/// A duration, or `forever`.
pub fn duration_or_forever<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Duration>, D::Error> {
    text(d, |t| match t.trim() {
        "forever" => Ok(None),
        t => parse_duration(t).map(Some).ok_or("config-bad-duration"),
    })
}

/// An interval between runs: at least a second.
pub fn interval<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Duration>, D::Error> {
    text(d, |t| {
        let every = parse_duration(t).ok_or("config-bad-duration")?;
        if every < Duration::from_secs(1) { Err("config-short-interval") } else { Ok(Some(every)) }
    })
}

/// A cron expression of five fields (or six, with seconds first).
pub fn cron<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Box<Cron>>, D::Error> {
    text(d, |t| t.parse().map(|cron| Some(Box::new(cron))).map_err(|_| "config-bad-cron"))
}

/// A time zone by its IANA name.
pub fn timezone<'de, D: Deserializer<'de>>(d: D) -> Result<Option<TimeZone>, D::Error> {
    text(d, |t| TimeZone::get(t.trim()).map(Some).map_err(|_| "config-bad-timezone"))
}

/// A region of two letters, in capitals.
pub fn region<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    text(d, |t| match t.trim() {
        t if t.len() == 2 && t.bytes().all(|b| b.is_ascii_alphabetic()) => Ok(Some(t.to_ascii_uppercase())),
        _ => Err("config-bad-region"),
    })
}

/// A whole number above zero.
pub fn count<'de, D: Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
    match u32::deserialize(d)? {
        0 => Err(D::Error::custom("config-zero")),
        count => Ok(count),
    }
}

/// A number above zero.
pub fn positive<'de, D: Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
    let number = f64::deserialize(d)?;
    if number.is_finite() && number > 0.0 { Ok(number) } else { Err(D::Error::custom("config-zero")) }
}

/// An address to listen on.
pub fn listen<'de, D: Deserializer<'de>>(d: D) -> Result<SocketAddr, D::Error> {
    text(d, |t| t.trim().parse().map_err(|_| "config-bad-address"))
}

/// A web address without credentials, its trailing slash taken off.
pub fn url<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    text(d, |t| check_url(t.trim()).map(|()| t.trim().trim_end_matches('/').to_owned()))
}

/// A web address that may itself be a secret (a webhook).
pub fn secret_url<'de, D: Deserializer<'de>>(d: D) -> Result<Option<SecretString>, D::Error> {
    text(d, |t| {
        let address = t.trim().split(['?', '#']).next().unwrap_or_default();
        check_url(address).map(|()| Some(SecretString::from(t.trim())))
    })
}

/// The address of a mail server, with its password.
pub fn smtp<'de, D: Deserializer<'de>>(d: D) -> Result<Option<SecretString>, D::Error> {
    text(d, |t| match t.trim().split_once("://") {
        Some(("smtp" | "smtps", rest)) if !rest.is_empty() && !rest.contains(char::is_whitespace) => {
            Ok(Some(SecretString::from(t.trim())))
        }
        _ => Err("config-bad-smtp"),
    })
}

/// Networks; the place of a bad one is its own.
pub fn networks<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Network>, D::Error> {
    struct Item(Network);
    impl<'de> Deserialize<'de> for Item {
        fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Item, D::Error> {
            text(d, |t| parse_network(t).map(Item).ok_or("config-bad-network"))
        }
    }
    Vec::<Item>::deserialize(d).map(|items| items.into_iter().map(|item| item.0).collect())
}

/// Mail addresses.
pub fn mails<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<String>, D::Error> {
    struct Item(String);
    impl<'de> Deserialize<'de> for Item {
        fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Item, D::Error> {
            text(d, |t| match t.trim().split_once('@') {
                Some((name, host)) if !name.is_empty() && !host.is_empty() && !t.trim().contains(' ') => {
                    Ok(Item(t.trim().to_owned()))
                }
                _ => Err("config-bad-mail"),
            })
        }
    }
    Vec::<Item>::deserialize(d).map(|items| items.into_iter().map(|item| item.0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        for (text, seconds, shown) in [
            ("30s", 30, "30s"),
            ("5m", 300, "5m"),
            ("1h", 3600, "1h"),
            ("30d", 2_592_000, "30d"),
            ("1h30m", 5400, "1h30m"),
            (" 1h 30m ", 5400, "1h30m"),
            ("90s", 90, "1m30s"),
            ("0s", 0, "0s"),
        ] {
            let duration = parse_duration(text);
            assert_eq!(duration, Some(Duration::from_secs(seconds)), "{text}");
            assert_eq!(duration.map(show_duration).as_deref(), Some(shown));
        }
        assert_eq!(parse_duration("500ms"), Some(Duration::from_millis(500)));
        for text in
            ["", "30", "s", "1x", "-5m", "1.5h", "5 minutes", "99999999999999999999s", "4000d", "1h,5m"]
        {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn networks_hold_their_addresses() {
        for (network, address, within) in [
            ("172.16.0.0/12", "172.31.255.255", true),
            ("172.16.0.0/12", "172.32.0.0", false),
            ("172.16.0.0/12", "::ffff:172.16.0.1", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "::1", false),
            ("fd00::/8", "fd12::1", true),
            ("::/0", "2001:db8::1", true),
            ("::1", "::1", true),
        ] {
            let network = parse_network(network).unwrap();
            assert_eq!(is_within(address.parse().unwrap(), &[network]), within, "{network:?} {address}");
        }
        for text in ["", "10.0.0.0/33", "::/129", "10.0.0", "example.test/8", "10.0.0.0/-1"] {
            assert_eq!(parse_network(text), None, "{text}");
        }
    }

    #[test]
    fn web_addresses_name_a_host_and_hold_no_password() {
        for (url, expected) in [
            ("https://my.exnessaffiliates.com", Ok(())),
            ("http://127.0.0.1:8080/xm/api", Ok(())),
            ("https://[::1]:8080/x", Ok(())),
            ("HTTPS://host", Ok(())),
            ("ftp://host", Err("config-bad-url")),
            ("host.example", Err("config-bad-url")),
            ("https://", Err("config-bad-url")),
            ("https:///path", Err("config-bad-url")),
            ("https://host:port", Err("config-bad-url")),
            ("https://ho st", Err("config-bad-url")),
            ("https://host/?q=1", Err("config-bad-url")),
            ("https://me:secret@host", Err("config-url-credentials")),
        ] {
            assert_eq!(check_url(url), expected, "{url}");
        }
    }
}
