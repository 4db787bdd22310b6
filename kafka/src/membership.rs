//! Leader election: the leader is the member of group `group.id` that owns partition 0 of the config topic.
//!
//! The existing distributed engine decides: the group coordinator gives the one partition to one live member.
//! The cooperative assignor keeps it there when others come and go. No record is read through this client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use lakeward_api::config::ConfigMap;
use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use tokio::sync::watch;

use crate::KafkaError;
use crate::admin::client_error;
use crate::settings::{ClientKind, translate};

/// What this worker is in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Somebody else leads.
    Follower,
    /// This worker owns the config topic.
    Leader {
        /// Grows with every term of leadership in the cluster.
        generation: i64,
    },
    /// The group was not joined yet, or contact was lost.
    Undecided,
}

/// Membership in the worker group. Dropping it leaves the group.
pub struct Membership {
    role: watch::Receiver<Role>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What joining needs.
pub struct MembershipSettings<'a> {
    /// Worker properties, Java names.
    pub props: &'a ConfigMap,
    /// Client id of the member.
    pub client_id: String,
    /// The config topic.
    pub topic: String,
    /// The longest silence before the group gives this member up, ms (`rebalance.timeout.ms`).
    pub rebalance_timeout_ms: i64,
}

impl Membership {
    /// Joins the group; the role arrives at [`Membership::role`].
    ///
    /// # Errors
    /// Class `Config` for settings that cannot be honoured, `Retriable` when the client cannot be created.
    pub fn join(settings: MembershipSettings<'_>) -> Result<Self, KafkaError> {
        let MembershipSettings { props, client_id, topic, rebalance_timeout_ms } = settings;
        let mut client = translate(ClientKind::Consumer, props)?;
        let default_if_absent = |name: &str, value: &'static str| {
            props.get(name).map_or(value.to_owned(), |given| given.trim().to_owned())
        };
        for (name, value) in [
            ("client.id", client_id),
            ("session.timeout.ms", default_if_absent("session.timeout.ms", "10000")),
            ("heartbeat.interval.ms", default_if_absent("heartbeat.interval.ms", "3000")),
            ("max.poll.interval.ms", rebalance_timeout_ms.to_string()),
            ("partition.assignment.strategy", "cooperative-sticky".to_owned()),
            ("auto.offset.reset", "latest".to_owned()),
            ("enable.auto.commit", "false".to_owned()),
            ("queued.max.messages.kbytes", "64".to_owned()),
        ] {
            client.set(name, value);
        }
        let (sender, role) = watch::channel(Role::Undecided);
        let action = || "joining the worker group".to_owned();
        let consumer: BaseConsumer<Election> = client
            .to_rdkafka()
            .create_with_context(Election { topic: topic.clone(), sender })
            .map_err(|source| client_error(action(), source))?;
        consumer.subscribe(&[&topic]).map_err(|source| client_error(action(), source))?;
        let stopping = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&stopping);
        let thread = std::thread::Builder::new()
            .name("membership".to_owned())
            .spawn(move || run(&consumer, &until))
            .map_err(|err| KafkaError::Stopped { reason: format!("no thread for the membership: {err}") })?;
        Ok(Self { role, stopping, thread: Some(thread) })
    }

    /// The role, now and whenever it changes.
    pub fn role(&self) -> watch::Receiver<Role> {
        self.role.clone()
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the membership thread panicked");
        }
    }
}

/// Serves the client; the group is left when the consumer is dropped at the end.
fn run(consumer: &BaseConsumer<Election>, stopping: &AtomicBool) {
    while !stopping.load(Ordering::Acquire) {
        match consumer.poll(Duration::from_millis(50)) {
            // Configurations are read by the log of the config topic.
            None | Some(Ok(_)) => {}
            Some(Err(err)) => tracing::warn!(error = %err, "trouble with the worker group; going on"),
        }
    }
}

struct Election {
    topic: String,
    sender: watch::Sender<Role>,
}

impl ClientContext for Election {}

impl ConsumerContext for Election {
    fn pre_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance
            && partitions.find_partition(&self.topic, 0).is_some()
        {
            self.sender.send_replace(Role::Follower);
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) => {
                if let Err(err) = consumer.pause(partitions) {
                    tracing::debug!(error = %err, "the config topic is read although nobody needs it");
                }
                let generation = crate::sys::group_generation(consumer.client());
                let owns = partitions.find_partition(&self.topic, 0).is_some();
                self.sender.send_modify(|role| *role = role_after_assignment(*role, owns, generation));
            }
            Rebalance::Revoke(_) => {}
            Rebalance::Error(err) => tracing::warn!(error = %err, "a rebalance of the worker group failed"),
        }
    }
}

/// Cooperative assignments name only what is new: an empty one leaves a leader the leader. The generation of
/// a term is the one it began with.
fn role_after_assignment(before: Role, owns: bool, generation: i64) -> Role {
    match (before, owns) {
        (Role::Leader { .. }, _) => before,
        (_, true) => Role::Leader { generation },
        (_, false) => Role::Follower,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_assignment_keeps_the_leader_and_makes_a_newcomer_a_follower() {
        let leader = Role::Leader { generation: 3 };
        assert_eq!(role_after_assignment(leader, false, 4), leader);
        assert_eq!(role_after_assignment(Role::Undecided, false, 4), Role::Follower);
        assert_eq!(role_after_assignment(Role::Follower, true, 5), Role::Leader { generation: 5 });
    }
}
