//! Values as the texts that Java's `toString` gives them.
//!
//! `StringConverter` prints values that way; it is borrowed here.

use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::{Converter, Encoded};
use lakeward_api::plugin::{ConverterContext, ConverterPlugin as _, ConverterRole};
use lakeward_formats::converter::StringConverterPlugin;

/// The converter of a task.
pub(crate) struct Texts(Box<dyn Converter>);

impl Texts {
    /// # Errors
    /// Never in practice: the settings are the defaults.
    pub(crate) fn new() -> Result<Self, ConnectError> {
        let settings = ConfigMap::new();
        let context = ConverterContext {
            role: ConverterRole::Value,
            settings: &settings,
            connector: &settings,
            network: None,
        };
        Ok(Self(StringConverterPlugin.new_converter(&context)?))
    }

    /// One text per row, as UTF-8; none for null.
    ///
    /// # Errors
    /// `Record` when a value has no text.
    pub(crate) fn of(&mut self, topic: &str, values: &Values) -> Result<Encoded, ConnectError> {
        let mut encoded = self.0.encode(topic, values)?;
        if encoded.errors.is_empty() {
            return Ok(encoded);
        }
        Err(encoded.errors.swap_remove(0).1)
    }
}
