//! Freshet's recommender: pure, no AWS, no clock, no I/O, no async.
