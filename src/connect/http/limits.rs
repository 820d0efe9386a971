//! The bounds under which a system is used.

use std::time::Duration;

use super::Network;

/// How a system may be used, and how much of it is believed.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From sending a request to the last byte of its answer.
    pub timeout: Duration,
    /// To establish a connection.
    pub connect_timeout: Duration,
    /// Requests at once.
    pub concurrency: usize,
    /// Requests per second.
    pub rate: Option<f64>,
    /// Bytes of one body, after decompression.
    pub max_body: usize,
    /// How often a request is tried in all before a passing fault is given up on.
    pub attempts: u32,
    /// The bound of the first wait between attempts; it doubles with each.
    pub backoff: Duration,
    /// The bound it does not exceed.
    pub backoff_max: Duration,
    /// The longest wait a system may ask for.
    pub longest_wait: Duration,
    /// How long a refused login is not repeated.
    pub login_rest: Duration,
    /// Bytes a second a body must come at; 0 = any.
    pub min_rate: u64,
    /// How much longer than `min_rate` allows a body may take.
    pub patience: Duration,
    /// Networks that may be reached although they are not public.
    pub allow_networks: Vec<Network>,
    /// Whether plain http may be spoken.
    pub allow_plaintext: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            concurrency: 4,
            rate: None,
            max_body: 32 * 1024 * 1024,
            attempts: 5,
            backoff: Duration::from_millis(500),
            backoff_max: Duration::from_secs(30),
            longest_wait: Duration::from_secs(15 * 60),
            login_rest: Duration::from_secs(60),
            min_rate: 1024,
            patience: Duration::from_secs(10),
            allow_networks: Vec::new(),
            allow_plaintext: false,
        }
    }
}
