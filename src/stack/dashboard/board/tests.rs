//! What the widgets show, step by step.

use super::*;

/// What has changed, as `TaskCard r/1: loading > updated (active)`.
fn changes(board: &mut Board) -> Vec<String> {
    let text = |event: FlowEvent| match event {
        FlowEvent::WidgetChanged { widget, of, from, to, shows } => {
            format!("{widget} {of}: {from} > {to} ({shows})")
        }
        other => panic!("{other:?}"),
    };
    board.changes().into_iter().map(text).collect()
}

fn update(percent: u8, status: Status) -> Update {
    Update { task: 1, percent, status }
}

#[test]
fn a_task_is_shown_from_its_beginning_to_its_end() {
    let (mut board, runner, task) = (Board::default(), "r".into(), "r/1".into());
    board.load();
    board.sources(Signal::Data);
    assert_eq!(
        changes(&mut board),
        [
            "ProjectStatus all: loading > empty ()",
            "MetricsWidget all: loading > empty ()",
            "AlertWidget all: loading > empty ()"
        ]
    );
    board.update(&runner, &task, update(0, Status::Active));
    assert_eq!(
        changes(&mut board),
        [
            "TaskCard r/1: loading > updated (active)",
            "ProgressIndicator r/1: loading > updated (0)",
            "ProjectStatus all: empty > updated (healthy)"
        ]
    );
    board.update(&runner, &task, update(50, Status::Active));
    assert_eq!(changes(&mut board), ["ProgressIndicator r/1: updated > updated (50)"]);
    board.update(&runner, &task, update(100, Status::Completed));
    board.window_ended();
    assert_eq!(
        changes(&mut board),
        [
            "TaskCard r/1: updated > updated (completed)",
            "ProgressIndicator r/1: updated > updated (100)",
            "MetricsWidget all: empty > updated (positive)"
        ]
    );
    board.source(&runner, Signal::Failure);
    assert_eq!(changes(&mut board), ["AlertWidget all: empty > updated (error)"], "it is over");
    board.window_ended();
    assert_eq!(changes(&mut board), ["MetricsWidget all: updated > updated (negative)"]);
}

#[test]
fn a_source_that_goes_away_makes_its_widgets_old_then_wrong_and_comes_back() {
    let (mut board, runner, task) = (Board::default(), "r".into(), "r/1".into());
    board.update(&runner, &task, update(50, Status::Active));
    board.changes();
    let mut seen = Vec::new();
    for signal in [Signal::Silence, Signal::Failure, Signal::Silence, Signal::Data, Signal::Data] {
        board.source(&runner, signal);
        board.source(&"other".into(), signal);
        seen.extend(changes(&mut board).into_iter().filter(|line| line.starts_with("Task")));
    }
    let card = |change: &str| format!("TaskCard r/1: {change} (active)");
    let expected = ["updated > stale", "stale > error", "error > recovered", "recovered > updated"];
    assert_eq!(seen, expected.map(card));
}

#[test]
fn an_approval_is_shown_until_it_is_decided() {
    let (mut board, runner) = (Board::default(), "r".into());
    let task: Rc<str> = "r/1".into();
    board.update(&runner, &task, update(0, Status::Pending));
    board.changes();
    let stands = |standing| [(Rc::clone(&task), standing), ("unknown".into(), standing)];
    board.approvals_lost(Signal::Silence);
    assert!(changes(&mut board).is_empty(), "it is still loading");
    board.approvals(&stands(Standing::Pending));
    board.approvals_lost(Signal::Failure);
    board.approvals(&stands(Standing::Approved));
    board.approvals(&stands(Standing::Approved));
    board.approvals_lost(Signal::Failure);
    assert_eq!(
        changes(&mut board),
        [
            "ApprovalCard r/1: loading > updated (pending)",
            "ApprovalCard r/1: updated > error (pending)",
            "ApprovalCard r/1: error > recovered (approved)"
        ]
    );
}

#[test]
fn the_project_is_as_well_as_its_last_tasks() {
    let (mut board, runner) = (Board::default(), "r".into());
    let mut end = |number: u32, status: Status| {
        board.update(&runner, &format!("r/{number}").into(), update(50, status));
        board.widgets[&(Kind::ProjectStatus, ALL.into())].shows
    };
    assert_eq!(end(1, Status::Error), "critical");
    assert_eq!(end(2, Status::Completed), "critical");
    assert_eq!(end(3, Status::Completed), "warning");
    assert_eq!((4..=10).map(|number| end(number, Status::Completed)).last(), Some("warning"));
    assert_eq!(end(11, Status::Completed), "healthy");
}

#[test]
fn only_what_is_worse_is_told() {
    let mut board = Board::default();
    board.alert(Alert::Info);
    board.alert(Alert::Error);
    board.alert(Alert::Warning);
    assert_eq!(
        changes(&mut board),
        ["AlertWidget all: loading > updated (info)", "AlertWidget all: updated > updated (error)"]
    );
}

#[test]
fn an_approval_that_is_refused_is_told_and_one_that_expires_is_a_warning() {
    let alerts = |standing| {
        let mut board = Board::default();
        board.approvals(&[("r/1".into(), standing)]);
        changes(&mut board)
    };
    assert_eq!(alerts(Standing::Rejected), ["AlertWidget all: loading > updated (info)"]);
    assert_eq!(alerts(Standing::Expired), ["AlertWidget all: loading > updated (warning)"]);
    assert!(alerts(Standing::Approved).is_empty());
}

#[test]
fn after_a_reload_it_shows_what_was() {
    let mut board = Board::default();
    board.restore(&"r".into(), &"r/1".into(), update(50, Status::Active));
    board.update(&"r".into(), &"r/1".into(), update(100, Status::Active));
    let changes: Vec<String> =
        changes(&mut board).into_iter().filter(|line| line.starts_with("Progress")).collect();
    assert_eq!(
        changes,
        [
            "ProgressIndicator r/1: loading > stale (50)",
            "ProgressIndicator r/1: stale > updated (100)"
        ]
    );
}
