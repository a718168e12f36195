//! A bounded queue of alerts: the most urgent first, and when it is full the least urgent goes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use wardlight_core::message::Priority;

/// Most urgent first.
const CLASSES: [Priority; 3] = [Priority::High, Priority::Medium, Priority::Low];

/// What was put in, and how urgent it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Queued<T> {
    pub(crate) item: T,
    pub(crate) priority: Priority,
}

/// Creates a queue of at most `capacity` items, 1 or more.
pub(crate) fn queue<T>(capacity: usize) -> (QueueSender<T>, QueueReceiver<T>) {
    let shared = Arc::new(Shared {
        state: Mutex::new(State {
            classes: CLASSES.map(|_| VecDeque::new()),
            capacity: capacity.max(1),
            closed: false,
        }),
        wake: Notify::new(),
    });
    let sender = QueueSender {
        shared: Arc::clone(&shared),
    };
    (sender, QueueReceiver { shared })
}

struct Shared<T> {
    state: Mutex<State<T>>,
    wake: Notify,
}

struct State<T> {
    classes: [VecDeque<T>; CLASSES.len()],
    capacity: usize,
    closed: bool,
}

/// Puts alerts in, from any thread, without ever waiting. The queue closes when it is dropped.
pub(crate) struct QueueSender<T> {
    shared: Arc<Shared<T>>,
}

/// Takes alerts out.
pub(crate) struct QueueReceiver<T> {
    shared: Arc<Shared<T>>,
}

impl<T> QueueSender<T> {
    /// Puts an item in and returns the one that had to go for it, if any: the oldest of the least urgent, which is the new
    /// one itself when all others are more urgent.
    pub(crate) fn push(&self, item: T, priority: Priority) -> Option<T> {
        let dropped = lock(&self.shared).push_back(Queued { item, priority });
        self.shared.wake.notify_one();
        dropped
    }
}

impl<T> Drop for QueueSender<T> {
    fn drop(&mut self) {
        lock(&self.shared).closed = true;
        self.shared.wake.notify_one();
    }
}

impl<T> QueueReceiver<T> {
    /// Waits for the most urgent item, the oldest of its kind; `None` when the queue is closed and empty.
    pub(crate) async fn pop(&self) -> Option<Queued<T>> {
        loop {
            let woken = self.shared.wake.notified();
            {
                let mut state = lock(&self.shared);
                if let Some(item) = state.pop_front() {
                    return Some(item);
                }
                if state.closed {
                    return None;
                }
            }
            woken.await;
        }
    }

    /// Puts an item back in front of its kind, to be tried again; returns it when the queue has filled up meanwhile.
    pub(crate) fn put_back(&self, queued: Queued<T>) -> Option<T> {
        lock(&self.shared).push_front(queued)
    }
}

impl<T> State<T> {
    fn push_back(&mut self, queued: Queued<T>) -> Option<T> {
        let evicted = if self.is_full() { self.evict(queued.priority) } else { None };
        if self.is_full() {
            return Some(queued.item);
        }
        self.class(queued.priority).push_back(queued.item);
        evicted
    }

    fn push_front(&mut self, queued: Queued<T>) -> Option<T> {
        if self.is_full() {
            return Some(queued.item);
        }
        self.class(queued.priority).push_front(queued.item);
        None
    }

    fn pop_front(&mut self) -> Option<Queued<T>> {
        let mut classes = CLASSES.into_iter().zip(&mut self.classes);
        classes.find_map(|(priority, class)| class.pop_front().map(|item| Queued { item, priority }))
    }

    /// The oldest of the least urgent, if nothing of it is more urgent than `limit`.
    fn evict(&mut self, limit: Priority) -> Option<T> {
        let classes = CLASSES.into_iter().zip(&mut self.classes).rev();
        let mut fitting = classes.filter(|(priority, class)| *priority <= limit && !class.is_empty());
        fitting.next().and_then(|(_, class)| class.pop_front())
    }

    fn is_full(&self) -> bool {
        self.classes.iter().map(VecDeque::len).sum::<usize>() >= self.capacity
    }

    fn class(&mut self, priority: Priority) -> &mut VecDeque<T> {
        let [high, medium, low] = &mut self.classes;
        match priority {
            Priority::High => high,
            Priority::Medium => medium,
            Priority::Low => low,
        }
    }
}

/// A panic cannot leave these collections half changed.
fn lock<T>(shared: &Shared<T>) -> MutexGuard<'_, State<T>> {
    shared.state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Priority::{High, Low, Medium};

    async fn drain(receiver: &QueueReceiver<u32>) -> Vec<u32> {
        let mut items = Vec::new();
        while let Some(queued) = receiver.pop().await {
            items.push(queued.item);
        }
        items
    }

    #[tokio::test]
    async fn the_most_urgent_leaves_first_and_its_kind_in_order() {
        let (sender, receiver) = queue(10);
        for (item, priority) in [(1, Low), (2, High), (3, Medium), (4, High)] {
            assert_eq!(sender.push(item, priority), None);
        }
        drop(sender);
        assert_eq!(drain(&receiver).await, [2, 4, 3, 1]);
    }

    #[tokio::test]
    async fn a_full_queue_drops_the_oldest_of_the_least_urgent() {
        let (sender, receiver) = queue(3);
        for (item, priority) in [(1, Medium), (2, Low), (3, Low)] {
            assert_eq!(sender.push(item, priority), None);
        }
        assert_eq!(sender.push(4, High), Some(2));
        assert_eq!(sender.push(5, High), Some(3));
        assert_eq!(sender.push(6, High), Some(1));
        assert_eq!(sender.push(7, Low), Some(7), "a low alert displaced a high one");
        assert_eq!(sender.push(8, High), Some(4));
        drop(sender);
        assert_eq!(drain(&receiver).await, [5, 6, 8]);
    }

    #[tokio::test]
    async fn what_is_put_back_is_next_of_its_kind() {
        let (sender, receiver) = queue(2);
        sender.push(1, Low);
        sender.push(2, Low);
        let first = receiver.pop().await.unwrap();
        assert_eq!(receiver.put_back(first), None);
        sender.push(3, High);
        drop(sender);
        assert_eq!(drain(&receiver).await, [3, 2]);
    }

    #[tokio::test]
    async fn a_waiting_receiver_wakes_for_an_item_and_for_the_end() {
        let (sender, receiver) = queue(2);
        let waiting = tokio::spawn(async move { (receiver.pop().await, receiver.pop().await) });
        tokio::task::yield_now().await;
        sender.push(1, Low);
        drop(sender);
        let (item, end) = waiting.await.unwrap();
        assert_eq!((item.map(|queued| queued.item), end), (Some(1), None));
    }
}
