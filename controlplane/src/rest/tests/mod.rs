//! Golden answers of the REST contract, over real HTTP.

mod abuse;
mod conditions;
mod connectors;
mod forward;
mod front;
mod internal;
mod lifecycle;
mod metrics;
mod plugins;
pub(crate) mod rig;
pub(crate) mod tls;
mod transport;
