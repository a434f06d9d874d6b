//! Which certificate is served, and that it is always a good one.
//!
//! Home Assistant's own (`files`) when it can be used for a day and more; else one that this house makes
//! for itself (`own`): an `authority` that phones are told to trust once, confined to local names (`names`), and
//! a certificate of it for all that this machine is called. `keeper` decides, at the start and every minute;
//! `served` is what handshakes look at. Handshakes themselves are the business of `http`.
//!
//! And whose certificates are believed: `outgoing` has the connections that the daemon opens by itself.

mod authority;
mod files;
mod identity;
mod keeper;
mod names;
mod outgoing;
mod own;
mod served;

pub use authority::PublicAuthority;
pub use identity::{CertificateFacts, Identity, Unusable};
pub use keeper::Keeper;
pub use names::{Name, Subtree};
pub use outgoing::{Outgoing, Trust, TrustError};
pub use served::{Certificates, Served};
