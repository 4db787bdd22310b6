//! Leader election: the leader is the member of group `group.id` that owns partition 0 of the config topic.
//!
//! The existing distributed engine decides: the group coordinator gives the one partition to one live member.
//! The cooperative assignor keeps it there when others come and go. No record is read through this client.
//!
//! Owns telling answers that a person must act on (they end the membership) from those that heal. A group
//! that has members of another kind is both: a worker of Java that was killed stays a member until its
//! session ends, one that lives stays for good. See decision 0008.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use lakeward_api::config::ConfigMap;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError as LibraryError, KafkaResult};
use rdkafka::types::RDKafkaErrorCode as Code;
use rdkafka::{ClientContext, TopicPartitionList};
use tokio::sync::watch;

use crate::KafkaError;
use crate::admin::client_error;
use crate::leader::{LeaderFinder, announce};
use crate::settings::{ClientKind, translate};

/// Between attempts to tell the group who leads.
const ANNOUNCE_PAUSE: Duration = Duration::from_secs(1);

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
    present: watch::Receiver<bool>,
    refused: watch::Receiver<Option<Refusal>>,
    stopping: Arc<AtomicBool>,
    leader: LeaderFinder<Election>,
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
    /// Where the other workers reach this one, told to them when it leads.
    pub url: String,
    /// The longest silence before the group gives this member up, ms (`rebalance.timeout.ms`).
    pub rebalance_timeout_ms: i64,
}

impl Membership {
    /// Joins the group; the role arrives at [`Membership::role`].
    ///
    /// # Errors
    /// Class `Config` for settings that cannot be honoured, `Retriable` when the client cannot be created.
    pub fn join(settings: MembershipSettings<'_>) -> Result<Self, KafkaError> {
        let MembershipSettings { props, client_id, topic, url, rebalance_timeout_ms } = settings;
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
        let (refusal, refused) = watch::channel(None);
        let trouble = Mutex::new(None);
        let action = || "joining the worker group".to_owned();
        let consumer: BaseConsumer<Election> = client
            .to_rdkafka()
            .create_with_context(Election {
                topic: topic.clone(),
                url,
                unannounced: Mutex::new(None),
                member: Mutex::default(),
                sender,
                refusal,
                trouble,
                strangers: Mutex::default(),
                // A dead member is given up after its session; a rebalance that it died in may come first.
                strangers_limit: Duration::from_millis(rebalance_timeout_ms.max(0).unsigned_abs()),
            })
            .map_err(|source| client_error(action(), source))?;
        consumer.subscribe(&[&topic]).map_err(|source| client_error(action(), source))?;
        let consumer = Arc::new(consumer);
        client.log_in(&consumer);
        let leader = LeaderFinder { consumer: Arc::downgrade(&consumer), topic };
        let (presence, present) = watch::channel(false);
        let stopping = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&stopping);
        let thread = std::thread::Builder::new()
            .name("membership".to_owned())
            .spawn(move || run(&consumer, &until, &presence))
            .map_err(|err| KafkaError::Stopped { reason: format!("no thread for the membership: {err}") })?;
        Ok(Self { role, present, refused, stopping, leader, thread: Some(thread) })
    }

    /// The role, now and whenever it changes.
    pub fn role(&self) -> watch::Receiver<Role> {
        self.role.clone()
    }

    /// Whether the group has this member: false before the first assignment, and from the end of a session to
    /// the next one. Told after the role that comes with it.
    pub fn present(&self) -> watch::Receiver<bool> {
        self.present.clone()
    }

    /// Asks who leads.
    pub fn leader(&self) -> LeaderFinder<Election> {
        self.leader.clone()
    }

    /// Resolves when the broker refuses this member for a reason that cannot heal; never before. Cancel safe.
    /// The error is of class `Config` and names the setting and the remedy.
    pub async fn refused(&self) -> KafkaError {
        let mut refused = self.refused.clone();
        let refusal = match refused.wait_for(Option::is_some).await {
            Ok(refusal) => *refusal,
            Err(_) => None,
        };
        match refusal {
            Some(Refusal { key, problem }) => {
                KafkaError::Setting { key: key.to_owned(), problem: problem.to_owned() }
            }
            None => std::future::pending().await,
        }
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
fn run(consumer: &BaseConsumer<Election>, stopping: &AtomicBool, presence: &watch::Sender<bool>) {
    while !stopping.load(Ordering::Acquire) {
        match consumer.poll(Duration::from_millis(50)) {
            // Configurations are read by the log of the config topic.
            // Errors went to the context before.
            None | Some(Ok(_) | Err(_)) => {}
        }
        let election = consumer.context();
        let is_member = election.is_member(consumer);
        presence.send_if_modified(|known| std::mem::replace(known, is_member) != is_member);
        if election.is_announcement_due()
            && let Err(err) = announce(consumer, &election.topic, &election.url)
        {
            tracing::warn!(error = %err, "other workers do not know yet who leads");
            election.announce_at(Some(Instant::now() + ANNOUNCE_PAUSE));
        }
    }
}

/// The member as the client library knows it.
pub struct Election {
    topic: String,
    url: String,
    /// When to tell the group who leads; `None` when there is nothing to tell.
    unannounced: Mutex<Option<Instant>>,
    /// What this member was called when the group gave it its latest assignment.
    member: Mutex<Option<String>>,
    sender: watch::Sender<Role>,
    refusal: watch::Sender<Option<Refusal>>,
    /// What was wrong last, until the next assignment: the library repeats itself every few seconds.
    trouble: Mutex<Option<Code>>,
    /// Since when members of another kind are in the group.
    strangers: Mutex<Option<Instant>>,
    /// How long they may be dead ones.
    strangers_limit: Duration,
}

impl Election {
    /// False while what stands against joining may be the rest of a worker that was killed.
    fn is_final(&self, code: Code, now: Instant) -> bool {
        if code != Code::InconsistentGroupProtocol {
            return true;
        }
        let mut since = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        let began = *since.get_or_insert_with(|| {
            let patience_ms = self.strangers_limit.as_millis() as u64;
            tracing::warn!(
                patience_ms,
                "members of another kind are in the worker group (Kafka Connect on the JVM, a consumer); \
                 waiting for the end of their sessions, as they may have been killed"
            );
            now
        });
        now.saturating_duration_since(began) >= self.strangers_limit
    }

    /// May wait a moment for the client's own thread.
    fn is_member(&self, consumer: &BaseConsumer<Self>) -> bool {
        // Who joins again is called otherwise, and is no member before the group says so.
        let now = crate::sys::group_member(consumer.client());
        let assigned = self.member.lock().unwrap_or_else(PoisonError::into_inner);
        now.is_some() && now == *assigned
    }

    fn announce_at(&self, at: Option<Instant>) {
        *self.unannounced.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    /// True once per announcement that is due.
    fn is_announcement_due(&self) -> bool {
        let mut at = self.unannounced.lock().unwrap_or_else(PoisonError::into_inner);
        at.take_if(|at| *at <= Instant::now()).is_some()
    }

    fn trouble(&self, now: Option<Code>) -> Option<Code> {
        std::mem::replace(&mut *self.trouble.lock().unwrap_or_else(PoisonError::into_inner), now)
    }
}

impl ClientContext for Election {
    fn error(&self, err: LibraryError, reason: &str) {
        let reason = &*crate::secrets::hide(reason);
        let code = err.rdkafka_error_code();
        if code == Some(Code::PartitionEOF) {
            return;
        }
        if let (Some(refusal), Some(code)) = (code.and_then(refusal), code) {
            if self.is_final(code, Instant::now()) {
                self.refusal.send_replace(Some(refusal));
            }
        } else if self.trouble(code) == code {
            tracing::debug!(error = %err, reason, "the worker group is still in trouble");
        } else {
            tracing::warn!(error = %err, reason, "trouble with the worker group; going on");
        }
    }
}

impl ConsumerContext for Election {
    fn commit_callback(&self, told: KafkaResult<()>, _: &TopicPartitionList) {
        let leads = matches!(*self.sender.borrow(), Role::Leader { .. });
        if let Err(err) = told
            && leads
        {
            tracing::warn!(error = %err, "other workers do not know yet who leads");
            self.announce_at(Some(Instant::now() + ANNOUNCE_PAUSE));
        }
    }

    fn pre_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance
            && partitions.find_partition(&self.topic, 0).is_some()
        {
            self.announce_at(None);
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
                let member = crate::sys::group_member(consumer.client());
                *self.member.lock().unwrap_or_else(PoisonError::into_inner) = member;
                *self.strangers.lock().unwrap_or_else(PoisonError::into_inner) = None;
                if let Some(code) = self.trouble(None) {
                    tracing::info!(after = %code, "the worker group is joined again");
                }
                let owns = partitions.find_partition(&self.topic, 0).is_some();
                self.sender.send_modify(|role| *role = role_after_assignment(*role, owns, generation));
                if owns {
                    self.announce_at(Some(Instant::now()));
                }
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

/// Why this worker can never be a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refusal {
    /// The worker setting to correct.
    key: &'static str,
    problem: &'static str,
}

/// Answers that stay the same until somebody changes a setting or a permission. Source: the exceptions of
/// Java's coordinator that are not retriable.
fn refusal(code: Code) -> Option<Refusal> {
    let (key, problem) = match code {
        Code::Authentication | Code::SaslAuthenticationFailed => {
            ("sasl.jaas.config", "the broker refuses the credentials; correct them or the mechanism")
        }
        Code::FencedInstanceId => {
            ("group.instance.id", "another member took this id; give every worker an id of its own")
        }
        Code::GroupAuthorizationFailed => {
            ("group.id", "the worker may not join its group; allow READ on the group to its principal")
        }
        Code::InconsistentGroupProtocol => {
            let problem = "members of another kind are in the group (Kafka Connect on the JVM, a consumer); \
                           stop them or name another group";
            ("group.id", problem)
        }
        Code::InvalidGroupId => ("group.id", "the broker refuses the name; choose another"),
        Code::InvalidSessionTimeout => {
            let problem = "the broker refuses it; choose a value from the broker's \
                           group.min.session.timeout.ms to its group.max.session.timeout.ms";
            ("session.timeout.ms", problem)
        }
        Code::TopicAuthorizationFailed => {
            ("config.storage.topic", "the worker may not read the topic; allow READ to its principal")
        }
        Code::UnsupportedSASLMechanism => {
            ("sasl.mechanism", "the broker does not have it; choose one of its sasl.enabled.mechanisms")
        }
        _ => return None,
    };
    Some(Refusal { key, problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn election() -> (Election, watch::Receiver<Option<Refusal>>) {
        let (sender, _) = watch::channel(Role::Undecided);
        let (refusal, refused) = watch::channel(None);
        let (topic, url) = ("c".to_owned(), "http://w:8083/".to_owned());
        let election = Election {
            topic,
            url,
            unannounced: Mutex::new(None),
            member: Mutex::default(),
            sender,
            refusal,
            trouble: Mutex::new(None),
            strangers: Mutex::default(),
            strangers_limit: Duration::from_secs(60),
        };
        (election, refused)
    }

    #[test]
    fn answers_that_never_heal_end_the_membership_and_name_the_setting() {
        for (code, key) in [
            (Code::InvalidSessionTimeout, "session.timeout.ms"),
            (Code::GroupAuthorizationFailed, "group.id"),
            (Code::Authentication, "sasl.jaas.config"),
        ] {
            let (election, refused) = election();
            election.error(LibraryError::Global(code), "");
            assert_eq!(refused.borrow().map(|refusal| refusal.key), Some(key));
        }
        let text = refusal(Code::InvalidSessionTimeout).unwrap().problem;
        assert!(text.contains("group.min.session.timeout.ms"), "{text}");
    }

    #[test]
    fn members_of_another_kind_may_be_dead_for_as_long_as_a_rebalance_takes() {
        let (election, refused) = election();
        election.error(LibraryError::Global(Code::InconsistentGroupProtocol), "");
        assert_eq!(*refused.borrow(), None);
        let code = Code::InconsistentGroupProtocol;
        let now = Instant::now();
        assert!(!election.is_final(code, now));
        assert!(election.is_final(code, now + Duration::from_secs(61)));
        assert_eq!(refusal(code).unwrap().key, "group.id");
    }

    #[test]
    fn trouble_that_heals_is_told_once_and_the_end_of_a_partition_is_none() {
        let (election, refused) = election();
        election.error(LibraryError::Global(Code::PartitionEOF), "");
        assert_eq!(election.trouble(None), None);
        election.error(LibraryError::Global(Code::AllBrokersDown), "");
        assert_eq!(*election.trouble.lock().unwrap(), Some(Code::AllBrokersDown));
        assert_eq!(*refused.borrow(), None);
    }

    #[test]
    fn an_empty_assignment_keeps_the_leader_and_makes_a_newcomer_a_follower() {
        let leader = Role::Leader { generation: 3 };
        assert_eq!(role_after_assignment(leader, false, 4), leader);
        assert_eq!(role_after_assignment(Role::Undecided, false, 4), Role::Follower);
        assert_eq!(role_after_assignment(Role::Follower, true, 5), Role::Leader { generation: 5 });
    }
}
