//! `/connectors/{connector}/offsets`.
//!
//! Source: `ConnectorsResource#getOffsets`, `#alterConnectorOffsets`, `#resetConnectorOffsets`, Kafka 4.1.

use http::{Method, StatusCode};
use serde_json::json;

use super::answer;
use super::body;
use super::connectors::{Call, Outcome};
use crate::herder::{Answer, Command, RequestError};
use crate::offsets::{OffsetChange, OffsetItem};

pub(super) async fn serve(name: String, call: &Call<'_>) -> Outcome {
    let change = match *call.method {
        Method::PATCH => OffsetChange::Alter(items(&call.body)?),
        Method::DELETE => OffsetChange::Reset,
        _ => return Ok(answer::json(StatusCode::OK, &call.herder.offsets(&name).await?)),
    };
    match call.herder.request(Command::ModifyOffsets { name, change }).await? {
        Answer::Message(message) => Ok(answer::json(StatusCode::OK, &json!({ "message": message }))),
        _ => Ok(answer::empty(StatusCode::OK)),
    }
}

fn items(body: &[u8]) -> Result<Vec<OffsetItem>, RequestError> {
    let absent = |method: &str, variable: &str| {
        let class = "org.apache.kafka.connect.runtime.rest.entities.ConnectorOffset";
        RequestError::Internal(format!("Cannot invoke \"{class}{method}\" because \"{variable}\" is null"))
    };
    let offsets = body::offsets(body)?.ok_or_else(|| absent("s.offsets()", "offsets"))?;
    let items = offsets.filter(|items| !items.is_empty()).ok_or_else(|| {
        let message = "Partitions / offsets need to be provided for an alter offsets request";
        RequestError::BadRequest(message.to_owned())
    })?;
    items.into_iter().map(|item| item.ok_or_else(|| absent(".partition()", "offset"))).collect()
}
