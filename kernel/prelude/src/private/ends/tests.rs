//! Channels of every kind.

use super::*;

#[test]
fn the_ends_of_a_channel_have_its_address() {
    #[track_caller]
    fn check<S, R: End>((sender, receiver): (S, R)) {
        let [first, second] = two_words(&receiver);
        let shared = shared_address(&sender, &receiver).unwrap();
        assert_eq!(if first < 16 { second } else { first }, shared);
    }
    check(mpsc::channel::<u8>());
    check(mpsc::sync_channel::<String>(0));
    check(crossbeam::bounded::<[u64; 9]>(3));
    check(tokio_mpsc::channel::<u8>(1));
    check(tokio_mpsc::unbounded_channel::<u8>());
    check(oneshot::channel::<u8>());
    check(broadcast::channel::<u8>(1));
}

#[test]
fn senders_are_counted() {
    #[track_caller]
    fn check<S: Clone, R>(place: Option<usize>, (sender, receiver): (S, R)) {
        let at = shared_address(&sender, &receiver).unwrap() + place.unwrap();
        // SAFETY: the place was found in channels like this one.
        let count = || unsafe { (at as *const usize).read_volatile() };
        let other = sender.clone();
        assert_eq!(count(), 2);
        drop((sender, other));
        assert_eq!(count(), 0);
    }
    check(
        count_in(mpsc::channel::<u8>, super::sender),
        mpsc::channel::<String>(),
    );
    check(
        count_in(|| mpsc::sync_channel::<u8>(1), super::sender),
        mpsc::sync_channel::<[u64; 30]>(7),
    );
    check(
        count_in(|| mpsc::sync_channel::<u8>(0), super::sender),
        mpsc::sync_channel::<Vec<u8>>(0),
    );
    let [bounded, unbounded, without_room] = in_crossbeam(super::sender);
    check(bounded, crossbeam::bounded::<String>(7));
    check(unbounded, crossbeam::unbounded::<String>());
    check(without_room, crossbeam::bounded::<String>(0));
    check(
        count_in(|| tokio_mpsc::channel::<u8>(1), super::sender),
        tokio_mpsc::channel::<String>(9),
    );
    check(
        count_in(tokio_mpsc::unbounded_channel::<u8>, super::sender),
        tokio_mpsc::unbounded_channel::<String>(),
    );
    check(
        count_in(|| broadcast::channel::<u8>(1), super::sender),
        broadcast::channel::<String>(9),
    );
    assert!(in_crossbeam(receiver).iter().all(Option::is_some));
}

#[test]
fn a_barrier_knows_its_size() {
    let place = size_in_barrier().unwrap() / size_of::<usize>();
    assert_eq!(words(&Barrier::new(3))[place], 3);
}

#[test]
fn what_is_no_end_is_not_noted() {
    // That these lines compile is the test: each type finds a `note`.
    Awaits(&vec![1]).note(1);
    Awaits(&mpsc::channel::<u8>().1).note(1);
    Awaits(&Arc::new(Barrier::new(1))).note(1);
    Taken(&mpsc::channel::<u8>()).note(1);
}
