//! What a sim may say, what it may not, and how a refusal reads.

mod repository;
