//! The committed positions of a consumer group, shown and changed from outside the group.
//!
//! Decides nothing about connectors. A group with members refuses changes, which callers tell from other
//! failures. Source: `Admin#listConsumerGroupOffsets`, `#alterConsumerGroupOffsets`,
//! `#deleteConsumerGroupOffsets`, `#deleteConsumerGroups`, Kafka 4.1.

use std::sync::Arc;
use std::time::Duration;

use lakeward_api::record::{Position, TopicPartition};
use rdkafka::admin::AdminOptions;
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::KafkaError;
use crate::admin::{Admin, blocking, client_error};
use crate::sys::{GroupRequest, group_offsets};

/// Why a group was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// The group has members: class `Retriable`.
    #[error("consumer group {group} still has members")]
    Active {
        /// The group.
        group: String,
    },
    /// Everything else, with the class of its cause.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
}

/// A change of committed positions.
#[derive(Clone, Debug)]
enum Change {
    Alter(Vec<Position>),
    Delete(Vec<TopicPartition>),
}

impl Admin {
    /// Everything that `group` committed, by topic and partition; empty for a group that does not exist.
    ///
    /// # Errors
    /// `Retriable` when the broker refuses or does not answer within `limit`.
    pub async fn group_positions(&self, group: &str, limit: Duration) -> Result<Vec<Position>, KafkaError> {
        let inner = Arc::clone(&self.inner);
        let name = group.to_owned();
        let answer =
            blocking(move || group_offsets(inner.inner(), &name, &GroupRequest::List, limit)).await?;
        let action = || format!("listing the positions of consumer group {group}");
        let listed = match answer {
            Ok(listed) => listed,
            Err((code, _)) if Code::from(code) == Code::GroupIdNotFound => Vec::new(),
            Err((code, _)) => return Err(refusal(action(), code.into())),
        };
        let mut positions = Vec::with_capacity(listed.len());
        for (position, code) in listed {
            match Code::from(code) {
                Code::NoError => positions.push(position),
                code => return Err(refusal(action(), code)),
            }
        }
        positions.retain(|position| position.next_offset >= 0);
        positions.sort_by(|left, right| {
            let (left, right) = (&left.partition, &right.partition);
            left.topic.cmp(&right.topic).then(left.partition.cmp(&right.partition))
        });
        Ok(positions)
    }

    /// Commits `positions` for a group without members.
    ///
    /// # Errors
    /// [`GroupError::Active`]; otherwise `Retriable`, also when only some partitions are refused.
    pub async fn alter_group_positions(
        &self,
        group: &str,
        positions: Vec<Position>,
        limit: Duration,
    ) -> Result<(), GroupError> {
        self.change(group, Change::Alter(positions), limit).await
    }

    /// Forgets what a group without subscriptions committed for `partitions`.
    ///
    /// # Errors
    /// As [`Admin::alter_group_positions`].
    pub async fn forget_group_positions(
        &self,
        group: &str,
        partitions: Vec<TopicPartition>,
        limit: Duration,
    ) -> Result<(), GroupError> {
        self.change(group, Change::Delete(partitions), limit).await
    }

    async fn change(&self, group: &str, change: Change, limit: Duration) -> Result<(), GroupError> {
        let inner = Arc::clone(&self.inner);
        let name = group.to_owned();
        let answer = blocking(move || {
            let request = match &change {
                Change::Alter(positions) => GroupRequest::Alter(positions),
                Change::Delete(partitions) => GroupRequest::Delete(partitions),
            };
            group_offsets(inner.inner(), &name, &request, limit)
        })
        .await?;
        let codes: Vec<Code> = match answer {
            Ok(partitions) => partitions.into_iter().map(|(_, code)| code.into()).collect(),
            Err((code, _)) => vec![code.into()],
        };
        match codes.into_iter().find(|code| *code != Code::NoError) {
            None => Ok(()),
            Some(code) => Err(group_error(group, format!("changing consumer group {group}"), code)),
        }
    }

    /// Deletes a group without members; a group that does not exist is fine.
    ///
    /// # Errors
    /// [`GroupError::Active`]; otherwise `Retriable`.
    pub async fn delete_group(&self, group: &str, limit: Duration) -> Result<(), GroupError> {
        let options = AdminOptions::new().request_timeout(Some(limit));
        let action = || format!("deleting consumer group {group}");
        let results = self.inner.delete_groups(&[group], &options).await;
        let results = results.map_err(|source| client_error(action(), source))?;
        match results.into_iter().next() {
            None | Some(Ok(_) | Err((_, Code::GroupIdNotFound))) => Ok(()),
            Some(Err((_, code))) => Err(group_error(group, action(), code)),
        }
    }
}

fn group_error(group: &str, action: String, code: Code) -> GroupError {
    match code {
        Code::NonEmptyGroup | Code::UnknownMemberId | Code::GroupSubscribedToTopic => {
            GroupError::Active { group: group.to_owned() }
        }
        code => GroupError::Kafka(refusal(action, code)),
    }
}

fn refusal(action: String, code: Code) -> KafkaError {
    client_error(action, rdkafka::error::KafkaError::AdminOp(code))
}
