//! Logins with SASL/OAUTHBEARER: clients with the same settings share a login, which fetches tokens, hands
//! them to the clients and replaces them before they end.
//!
//! The client library could fetch tokens itself where it is built with another HTTP library; ours get them
//! from the outside, so that all of them follow Java's rules for retries and refreshing. Clients are made
//! before their token is there and connect as soon as it comes.
//!
//! Where tokens come from is a decision of whoever runs the worker: an address that a connector names must be
//! allowed, or it could make this process ask any server and read any file.
//!
//! Source: KIP-255, KIP-768, KIP-1139; `LoginManager`, `ExpiringCredentialRefreshingLogin`, Kafka 4.1.

mod keeper;
mod refresh;
mod settings;
mod token;
mod unsecured;

use std::sync::{Mutex, PoisonError};

pub(crate) use keeper::attach;
pub(crate) use settings::{LoginSettings, SECRETS, SETTINGS};
pub(crate) use token::Token;

static ALLOWED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Tokens may come from these URLs as well; a process begins without any.
pub fn allow_urls(urls: impl IntoIterator<Item = String>) {
    ALLOWED.lock().unwrap_or_else(PoisonError::into_inner).extend(urls);
}

fn is_allowed(url: &str) -> bool {
    ALLOWED.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|allowed| allowed == url)
}
