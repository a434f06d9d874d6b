//! Permits, and the list of all that are open.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::domain::{GrantId, Owner, RoomId};
use crate::rooms::Granted;

use super::action::Action;
use super::visitor::Visitor;

/// That somebody may do one thing: made by [`Access::authorize`](super::Access::authorize) alone. To be kept by what is
/// opened with it; clones are the same permit.
#[derive(Debug, Clone)]
pub struct Permit(Arc<Grant>);

#[derive(Debug)]
struct Grant {
    id: GrantId,
    action: Action,
    room: Option<RoomId>,
    visitor: Visitor,
    is_ended: AtomicBool,
    /// For those who wait for the end. Players, of which there may be thousands, look at each write instead.
    ended: OnceLock<CancellationToken>,
    grants: Weak<Grants>,
}

impl Grant {
    /// Ends it, and wakes those who wait.
    fn end(&self) {
        // In this order: whoever makes the token just now sees that it is over.
        self.is_ended.store(true, Ordering::SeqCst);
        if let Some(ended) = self.ended.get() {
            ended.cancel();
        }
    }

    fn is_ended(&self) -> bool {
        self.is_ended.load(Ordering::SeqCst)
    }

    /// Cancelled when it is over.
    fn ended(&self) -> &CancellationToken {
        let ended = self.ended.get_or_init(CancellationToken::new);
        if self.is_ended() {
            ended.cancel();
        }
        ended
    }
}

impl Permit {
    pub(super) fn new(action: Action, room: Option<RoomId>, visitor: Visitor, grants: &Arc<Grants>) -> Self {
        let id = GrantId(grants.next.fetch_add(1, Ordering::Relaxed));
        let (is_ended, ended, registry) = (AtomicBool::new(false), OnceLock::new(), Arc::downgrade(grants));
        let grant = Arc::new(Grant { id, action, room, visitor, is_ended, ended, grants: registry });
        grants.lock().insert(id, Arc::downgrade(&grant));
        Self(grant)
    }

    /// Its identity.
    pub fn id(&self) -> GrantId {
        self.0.id
    }

    /// Whether it was given for this.
    pub fn is_for(&self, action: Action) -> bool {
        self.0.action == action
    }

    /// Whether it permits this, and has not ended.
    pub fn permits(&self, action: Action) -> bool {
        self.0.action == action && !self.is_ended()
    }

    /// The same, in this room.
    pub fn permits_in(&self, action: Action, room: RoomId) -> bool {
        self.permits(action) && self.0.room == Some(room)
    }

    /// The room that it is for, if it is for one.
    pub fn room(&self) -> Option<RoomId> {
        self.0.room
    }

    /// Whose it is.
    pub fn visitor(&self) -> &Visitor {
        &self.0.visitor
    }

    /// Who answers for its use.
    pub fn owner(&self) -> Owner {
        self.0.visitor.owner()
    }

    /// What the room in which it is used may know of it.
    pub fn granted(&self) -> Granted {
        Granted { grant: self.0.id, owner: self.owner() }
    }

    /// Whether it is over, though it is still held.
    pub fn is_ended(&self) -> bool {
        self.0.is_ended()
    }

    /// Waits until it is over.
    pub async fn ended(&self) {
        self.0.ended().cancelled().await;
    }

    /// To be kept by who waits for its end among other things.
    pub fn watched(self) -> WatchedPermit {
        let ended = Box::pin(self.0.ended().clone().cancelled_owned());
        WatchedPermit { permit: self, ended }
    }
}

/// Permit with one place among those that wait for its end, which it keeps: to queue anew for every message of a client
/// that is told levels costs as much as the message.
#[derive(Debug)]
pub struct WatchedPermit {
    permit: Permit,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl WatchedPermit {
    /// The permit itself.
    pub fn permit(&self) -> &Permit {
        &self.permit
    }

    /// Waits until it is over. To be called no more once it was.
    pub async fn ended(&mut self) {
        self.ended.as_mut().await;
    }
}

#[cfg(test)]
impl Permit {
    /// One that nobody had to be asked for.
    pub(crate) fn of_a_test(action: Action, room: RoomId) -> Self {
        let visitor = Visitor::at([10, 0, 0, 1].into(), super::Scopes::all());
        Self::new(action, Some(room), visitor, &Arc::default())
    }

    /// Ends it.
    pub(crate) fn end(&self) {
        self.0.end();
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        if let Some(grants) = self.grants.upgrade() {
            grants.lock().remove(&self.id);
        }
    }
}

/// All that are open.
#[derive(Debug, Default)]
pub(super) struct Grants {
    open: Mutex<HashMap<GrantId, Weak<Grant>>>,
    next: AtomicU64,
}

impl Grants {
    /// Ends all for which this does not hold; gives how many those were.
    pub(super) fn end_unless(&self, holds: impl Fn(Action, Option<RoomId>, &Visitor) -> bool) -> usize {
        // Not locked while rooms and files are asked.
        let open: Vec<_> = self.lock().values().filter_map(Weak::upgrade).collect();
        let over = open.iter().filter(|grant| !grant.is_ended());
        let over = over.filter(|grant| !holds(grant.action, grant.room, &grant.visitor));
        over.map(|grant| grant.end()).count()
    }

    /// Ends one.
    pub(super) fn end(&self, id: GrantId) {
        let grant = self.lock().get(&id).and_then(Weak::upgrade);
        if let Some(grant) = grant {
            grant.end();
        }
    }

    pub(super) fn owner(&self, id: GrantId) -> Option<Owner> {
        // Bound first: dropping the last one needs the lock.
        let grant = self.lock().get(&id).and_then(Weak::upgrade)?;
        Some(grant.visitor.owner())
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whole at every moment, also after a panic.
    fn lock(&self) -> MutexGuard<'_, HashMap<GrantId, Weak<Grant>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
