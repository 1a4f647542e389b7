//! The cache: its time, its room, and whose contexts are in it.

use super::*;

const TTL: Duration = Duration::from_secs(60);

fn at(seconds: u64) -> Time {
    Time::ZERO + Duration::from_secs(seconds)
}

fn key(project: &str, id: &str, agent: AgentType) -> Key {
    Key { project: ProjectId::new(project).unwrap(), issue: issue(id), agent }
}

fn test(id: &str) -> Key {
    key("shop", id, AgentType::TestEngineer)
}

#[test]
fn a_value_is_good_until_its_time_is_up() {
    let mut cache = Cache::new(TTL, 100);
    assert_eq!(cache.get(at(0), &test("1")), None);
    cache.insert(at(10), test("1"), 'a', 5);
    assert_eq!(cache.get(at(10), &test("1")), Some(&'a'));
    let just_before = Time::from_nanos(at(70).as_nanos() - 1);
    assert_eq!(cache.get(just_before, &test("1")), Some(&'a'), "use does not renew");
    assert_eq!(cache.stats().bytes, 5);
    assert_eq!(cache.get(at(70), &test("1")), None);
    let want = Stats { entries: 0, bytes: 0, hits: 2, misses: 2, evicted: 0 };
    assert_eq!(cache.stats(), want);
}

#[test]
fn a_new_value_takes_the_place_of_the_old_one() {
    let mut cache = Cache::new(TTL, 100);
    cache.insert(at(0), test("1"), 'a', 60);
    cache.insert(at(30), test("1"), 'b', 70);
    assert_eq!(cache.stats(), Stats { entries: 1, bytes: 70, ..Stats::default() });
    assert_eq!(cache.get(at(89), &test("1")), Some(&'b'));
}

#[test]
fn the_least_recently_used_goes_when_there_is_no_room() {
    let mut cache = Cache::new(TTL, 100);
    for (id, bytes) in [("1", 40), ("2", 30), ("3", 30)] {
        cache.insert(at(0), test(id), id, bytes);
    }
    assert_eq!((cache.stats().entries, cache.stats().evicted), (3, 0), "exactly full");
    cache.get(at(1), &test("1"));
    cache.insert(at(2), test("4"), "4", 1);
    assert_eq!(cache.get(at(2), &test("2")), None);
    assert_eq!(cache.get(at(2), &test("1")), Some(&"1"));
    assert_eq!(cache.stats().bytes, 71);
    cache.insert(at(3), test("5"), "5", 100);
    let left = Stats { entries: 1, bytes: 100, hits: 2, misses: 1, evicted: 4 };
    assert_eq!(cache.stats(), left);
}

#[test]
fn what_is_larger_than_the_cache_is_not_kept_and_displaces_only_its_like() {
    let mut cache = Cache::new(TTL, 100);
    cache.insert(at(0), test("1"), 'a', 50);
    cache.insert(at(0), test("2"), 'b', 50);
    cache.insert(at(0), test("2"), 'c', 101);
    assert_eq!(cache.get(at(0), &test("2")), None, "the old one is not true any more");
    assert_eq!(cache.get(at(0), &test("1")), Some(&'a'));
    assert_eq!(cache.stats().bytes, 50);
}

#[test]
fn an_issue_is_forgotten_for_all_agents_and_no_other_issue() {
    let mut cache = Cache::new(TTL, 100);
    for agent in AgentType::ALL {
        cache.insert(at(0), key("shop", "1", *agent), (), 1);
    }
    cache.insert(at(0), test("2"), (), 1);
    cache.insert(at(0), key("other", "1", AgentType::TestEngineer), (), 1);
    let shop = ProjectId::new("shop").unwrap();
    assert_eq!(cache.forget(&shop, &issue("1")), AgentType::ALL.len());
    assert_eq!(cache.forget(&shop, &issue("1")), 0);
    assert_eq!((cache.stats().entries, cache.stats().bytes), (2, 2));
}

#[test]
fn answers_are_kept_and_say_so() {
    let mut project = named("shop", 1, Size::Tiny);
    let mut knowledge = Knowledge::default();
    let mut contexts = Contexts::new(TTL, CACHE_BYTES);
    let key = key("shop", "32", AgentType::ChiefArchitect);
    let ask = |contexts: &mut Contexts, project: &Project, knowledge: &Knowledge, second| {
        let wall = NOW + SignedDuration::from_secs(second as i64);
        let mut prepared = Prepared::new(project.clone(), Limits::default());
        contexts.answer(&mut prepared, &key, knowledge, at(second), wall)
    };
    let first = ask(&mut contexts, &project, &knowledge, 0);
    assert!(!first.cache_hit);
    assert_eq!(contexts.stats().bytes, first.total_size_bytes);
    let edited = project.files().next().unwrap().id;
    project.edit(edited, NOW + SignedDuration::from_secs(1));
    let id = ResultId::new("r-1").unwrap();
    knowledge.record(&ProjectId::new("shop").unwrap(), &issue("32"), &id, output("a", 1));
    let again = ask(&mut contexts, &project, &knowledge, 59);
    assert_eq!(again, ContextResponse { cache_hit: true, ..first.clone() }, "as it was");
    let fresh = ask(&mut contexts, &project, &knowledge, 60);
    assert!(!fresh.cache_hit);
    assert_eq!(outputs(&fresh), [output("a", 1)]);
    assert_ne!(fresh.context.relevant_files, first.context.relevant_files);
    let shop = ProjectId::new("shop").unwrap();
    assert_eq!(contexts.forget(&shop, &issue("32")), 1);
    assert!(!ask(&mut contexts, &project, &knowledge, 61).cache_hit);
    assert_eq!(contexts.stats().misses, 3);
}
