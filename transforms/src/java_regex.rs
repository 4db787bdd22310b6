//! placeholder
use lakeward_api::ConnectError;
pub(crate) struct JavaRegex;
impl JavaRegex {
    pub(crate) fn new(_: &str) -> Result<Self, String> { Ok(Self) }
    pub(crate) fn matches(&self, _: &str) -> Result<bool, ConnectError> { Ok(true) }
}
impl JavaRegex {
    pub(crate) fn replace_first(&self, t: &str, _: &str) -> Result<String, ConnectError> { Ok(t.to_owned()) }
}
