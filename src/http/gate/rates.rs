//! How often one address may do what. Each limit refills evenly and allows a burst.

use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::config::Limits;
use crate::domain::network;

/// So many seconds' worth may come at once: a dashboard that opens asks for everything in a moment.
const BURST_SECONDS: NonZeroU32 = NonZeroU32::new(10).expect("it is not zero");

/// The limits, each by address.
pub(super) struct Rates {
    requests: DefaultKeyedRateLimiter<IpAddr>,
    messages: DefaultKeyedRateLimiter<IpAddr>,
    joins: DefaultKeyedRateLimiter<IpAddr>,
    wrong_tokens: DefaultKeyedRateLimiter<IpAddr>,
}

impl Rates {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            requests: a_second(limits.requests),
            messages: a_second(limits.messages),
            joins: RateLimiter::keyed(Quota::per_minute(limits.joins)),
            wrong_tokens: RateLimiter::keyed(Quota::per_minute(limits.wrong_tokens)),
        }
    }

    pub(super) fn request(&self, address: IpAddr) -> bool {
        self.requests.check_key(&network(address)).is_ok()
    }

    pub(super) fn message(&self, address: IpAddr) -> bool {
        self.messages.check_key(&network(address)).is_ok()
    }

    pub(super) fn join(&self, address: IpAddr) -> bool {
        self.joins.check_key(&network(address)).is_ok()
    }

    /// Counts a wrong token; `false` once there were too many, whatever the next one is.
    pub(super) fn wrong_token(&self, address: IpAddr) -> bool {
        self.wrong_tokens.check_key(&network(address)).is_ok()
    }

    pub(super) fn tidy(&self) {
        for rates in [&self.requests, &self.messages, &self.joins, &self.wrong_tokens] {
            rates.retain_recent();
        }
    }
}

fn a_second(rate: NonZeroU32) -> DefaultKeyedRateLimiter<IpAddr> {
    RateLimiter::keyed(Quota::per_second(rate).allow_burst(rate.saturating_mul(BURST_SECONDS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_of_one_ipv6_network_count_as_one_and_ipv4_addresses_by_themselves() {
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert_eq!(network(ip("fd00::1:2:3:4")), network(ip("fd00::5")));
        assert_ne!(network(ip("fd00:0:0:1::1")), network(ip("fd00:0:0:2::1")));
        assert_ne!(network(ip("10.0.0.1")), network(ip("10.0.0.2")));
        assert_ne!(network(ip("::ffff:10.0.0.1")), network(ip("::ffff:10.0.0.2")));
    }

    #[test]
    fn a_burst_is_allowed_and_then_no_more_and_others_are_not_affected() {
        let rates = a_second(NonZeroU32::MIN);
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let allowed = (0..30).filter(|_| rates.check_key(&one).is_ok()).count();
        assert!((10..=11).contains(&allowed), "{allowed}");
        assert!(rates.check_key(&other).is_ok());
    }
}
