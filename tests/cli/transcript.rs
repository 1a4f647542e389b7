//! What a user types and sees, from a sim that fails sometimes to one that is committed.

#[test]
fn the_transcripts_are_what_happens() {
    trycmd::TestCases::new().case("tests/transcript/*.md");
}
