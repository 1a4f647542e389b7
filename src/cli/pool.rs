//! Many runs on several threads, their results in the order in which they were asked for.
//!
//! Each run has a world of its own and knows of no other, so the number of threads decides how
//! long it all takes and nothing else.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    panic,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

/// Calls `work` with each number below `count` on so many threads, and `take` with the results in
/// order. Once `take` breaks off, no more work is begun.
pub(super) fn in_order<T: Send>(
    threads: usize,
    count: usize,
    work: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(usize, T) -> ControlFlow<()>,
) {
    let (next, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    let worker = |sender: mpsc::Sender<(usize, T)>| {
        let _ends = Ends(&is_over);
        while !is_over.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count || sender.send((index, work(index))).is_err() {
                break;
            }
        }
    };
    thread::scope(|scope| {
        let spawn = |_| {
            let (sender, worker) = (sender.clone(), &worker);
            scope.spawn(move || worker(sender))
        };
        let workers: Vec<_> = (0..threads.clamp(1, count.max(1))).map(spawn).collect();
        drop(sender);
        let (mut early, mut due) = (BTreeMap::new(), 0);
        'results: for (index, result) in receiver {
            early.insert(index, result);
            while let Some(result) = early.remove(&due) {
                if take(due, result).is_break() {
                    is_over.store(true, Ordering::Relaxed);
                    break 'results;
                }
                due += 1;
            }
        }
        for worker in workers {
            if let Err(panicked) = worker.join() {
                panic::resume_unwind(panicked);
            }
        }
    });
}

/// Lets no more work be begun once a worker has panicked.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_whatever_the_number_of_threads() {
        for threads in [1, 3, 64] {
            let mut taken = Vec::new();
            in_order(
                threads,
                40,
                |index| index * index,
                |index, result| {
                    taken.push((index, result));
                    ControlFlow::Continue(())
                },
            );
            let expected: Vec<_> = (0..40).map(|index| (index, index * index)).collect();
            assert_eq!(taken, expected, "{threads} threads");
        }
    }

    #[test]
    fn no_work_is_begun_once_a_worker_has_panicked() {
        let begun = AtomicUsize::new(0);
        let work = |index: usize| {
            begun.fetch_add(1, Ordering::Relaxed);
            assert!(index > 0, "the first");
        };
        let all = || in_order(2, 10_000_000, work, |_, ()| ControlFlow::Continue(()));
        assert!(panic::catch_unwind(panic::AssertUnwindSafe(all)).is_err());
        assert!(begun.into_inner() < 10_000_000);
    }

    #[test]
    fn no_work_is_begun_once_nobody_wants_the_results() {
        let begun = AtomicUsize::new(0);
        let work = |_| begun.fetch_add(1, Ordering::Relaxed);
        in_order(1, 1_000_000, work, |_, _| ControlFlow::Break(()));
        assert!(begun.into_inner() < 1_000_000);
    }
}
