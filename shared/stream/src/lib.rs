//! Freshet's side of Kafka: the producer, and the batch of an event source mapping.
