//! `#[derive(ConfigDef)]`: one struct is the only source of truth of a set of configuration keys.
//!
//! This crate owns the macro and nothing else: the meaning of every attribute lives in
//! `lakeward_api::config`, which re-exports the derive and documents it for users.
//!
//! ```text
//! #[derive(ConfigDef)]
//! struct Settings {
//!     /// Number of records per file.
//!     #[config(name = "flush.size", kind = "int", default = required, importance = "high",
//!              group = "Connector", width = "long", display = "Flush size", validate = at_least(1),
//!              dependents("rotate.interval.ms"))]
//!     flush_size: i32,
//! }
//! ```
//!
//! generates `Settings::config_def() -> ConfigDef` and
//! `Settings::parse(&ConfigMap) -> Result<Settings, Vec<ConfigValue>>`.

mod attribute;
mod expand;

use proc_macro::TokenStream;

/// Generates `config_def` and `parse` from the fields of a struct; see the crate documentation.
#[proc_macro_derive(ConfigDef, attributes(config))]
pub fn derive_config_def(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    expand::expand(&input).unwrap_or_else(|err| err.to_compile_error()).into()
}
