//! Records that can never be processed go to the dead-letter topic, whole, with the reason.

use base64::Engine as _;
use freshet_events::{DeadLetter, Invalid, dead_topic};

use crate::batch::Record;
use crate::producer::Message;

/// The dead letter of `record`, given up by `function` for `why`.
pub fn dead_letter(function: &str, record: &Record, why: &Invalid) -> Message {
    let bytes = record.value.as_deref().unwrap_or_default();
    // As text it is readable; but control characters can take six bytes each, base64 never more than 4/3.
    let text = std::str::from_utf8(bytes).ok().filter(|text| !text.chars().any(|c| c.is_control() && c != '\n'));
    let letter = DeadLetter {
        reason: why.to_string(),
        field: why.field.clone(),
        function: function.to_owned(),
        topic: record.topic.clone(),
        partition: record.partition,
        offset: record.offset,
        timestamp: record.timestamp,
        value_bytes: bytes.len(),
        value: record.value.as_ref().and(text).map(str::to_owned),
        value_base64: text.is_none().then(|| base64::engine::general_purpose::STANDARD.encode(bytes)),
    };
    Message {
        topic: dead_topic(&record.topic),
        key: String::from_utf8_lossy(record.key.as_deref().unwrap_or_default()).into_owned(),
        value: serde_json::to_vec(&letter).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_keeps_the_record_whole_whatever_its_bytes() {
        let mut record = Record {
            topic: "t".into(),
            partition: 1,
            offset: 2,
            timestamp: 3,
            key: Some(b"k".to_vec()),
            value: Some(b"{no".to_vec()),
        };
        let why = Invalid::new("value", "a JSON object", "3 bytes");
        let letter: DeadLetter = serde_json::from_slice(&dead_letter("f", &record, &why).value).unwrap();
        assert_eq!((letter.value.as_deref(), letter.value_bytes), (Some("{no"), 3));
        record.value = Some(vec![0xff; 2_000_000]);
        let message = dead_letter("f", &record, &why);
        assert_eq!((message.topic.as_str(), message.key.as_str()), ("t-dead", "k"));
        let letter: DeadLetter = serde_json::from_slice(&message.value).unwrap();
        assert_eq!(letter.value_base64.map(|text| text.len()), Some(2_666_668));
        record.value = None;
        let letter: DeadLetter = serde_json::from_slice(&dead_letter("f", &record, &why).value).unwrap();
        assert_eq!((letter.value, letter.value_base64), (None, None));
    }
}
