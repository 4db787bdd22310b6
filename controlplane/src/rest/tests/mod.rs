//! Golden answers of the REST contract, over real HTTP.

mod connectors;
mod lifecycle;
mod plugins;
pub(crate) mod rig;
mod transport;
