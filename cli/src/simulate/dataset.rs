//! Sessions from a CSV file: columns `user` or `session`, `item`, optional `type`; gzipped or not; in file order.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;

use csv::{ErrorKind, ReaderBuilder, StringRecord};
use flate2::bufread::MultiGzDecoder;
use freshet_events::EventType;
use freshet_events::event::id_field;
use serde_json::{Map, Value};

use super::Planned;

/// What a gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The names of `type` that are known; a favourite counts as a view.
const TYPES: [(&str, EventType); 10] = [
    ("pv", EventType::ProductView),
    ("view", EventType::ProductView),
    ("product_view", EventType::ProductView),
    ("fav", EventType::ProductView),
    ("cart", EventType::AddToCart),
    ("add_to_cart", EventType::AddToCart),
    ("remove_from_cart", EventType::RemoveFromCart),
    ("buy", EventType::Purchase),
    ("purchase", EventType::Purchase),
    ("recommendation_view", EventType::RecommendationView),
];

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Visit {
    /// Who.
    pub(crate) user: String,
    /// Which product.
    pub(crate) item: String,
    /// Did what.
    pub(crate) event_type: EventType,
}

impl Visit {
    /// As an event.
    pub(crate) fn planned(self, event_id: String) -> Planned {
        Planned {
            event_id,
            user_id: self.user,
            event_type: self.event_type,
            product_id: self.item,
            metadata: Map::new(),
            click: None,
        }
    }
}

/// What is wrong with a file, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DatasetError {
    file: String,
    line: Option<u64>,
    column: Option<String>,
    got: String,
    expected: String,
}

impl std::fmt::Display for DatasetError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": got {}, expected {}", self.got, self.expected)
    }
}

impl std::error::Error for DatasetError {}

/// Reads a file row by row.
pub(crate) struct Dataset {
    file: String,
    reader: csv::Reader<Box<dyn Read + Send>>,
    header: StringRecord,
    user: usize,
    item: usize,
    event_type: Option<usize>,
    record: StringRecord,
    failed: bool,
}

impl Dataset {
    /// Opens `path` and reads its header.
    ///
    /// # Errors
    /// It can't be read, or lacks a column.
    pub(crate) fn open(path: &Path) -> Result<Self, DatasetError> {
        let file = path.display().to_string();
        let unreadable = |error: std::io::Error| DatasetError {
            file: file.clone(),
            line: None,
            column: None,
            got: error.to_string(),
            expected: "a CSV file, gzipped or not".to_owned(),
        };
        let mut input = BufReader::new(File::open(path).map_err(unreadable)?);
        let gzipped = input.fill_buf().map_err(unreadable)?.starts_with(&GZIP);
        let input: Box<dyn Read + Send> = if gzipped { Box::new(MultiGzDecoder::new(input)) } else { Box::new(input) };
        Self::read(file, input)
    }

    fn read(file: String, input: Box<dyn Read + Send>) -> Result<Self, DatasetError> {
        let mut reader = ReaderBuilder::new().trim(csv::Trim::All).from_reader(input);
        let header = match reader.headers() {
            Ok(header) => header.clone(),
            Err(error) => return Err(broken(&file, &StringRecord::new(), 1, &error)),
        };
        let find = |name: &str| header.iter().position(|column| column.eq_ignore_ascii_case(name));
        let missing = |expected: &str| DatasetError {
            file: file.clone(),
            line: Some(1),
            column: None,
            got: format!("the columns {:?}", header.iter().take(20).collect::<Vec<_>>().join(",")),
            expected: expected.to_owned(),
        };
        let user = find("user").or_else(|| find("session")).ok_or_else(|| missing("a column user or session"))?;
        let item = find("item").ok_or_else(|| missing("a column item"))?;
        let event_type = find("type");
        Ok(Self { reader, user, item, event_type, record: StringRecord::new(), failed: false, header, file })
    }

    fn row(&mut self) -> Result<Option<Visit>, DatasetError> {
        let line = self.reader.position().line();
        match self.reader.read_record(&mut self.record) {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(error) => return Err(broken(&self.file, &self.header, line, &error)),
        }
        let event_type = match self.event_type {
            None => EventType::ProductView,
            Some(column) => {
                let name = self.record.get(column).unwrap_or_default();
                let known = TYPES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
                let names = || format!("one of {}", TYPES.map(|(name, _)| name).join(", "));
                known.map(|(_, kind)| *kind).ok_or_else(|| self.wrong(column, &format!("{name:?}"), &names()))?
            }
        };
        Ok(Some(Visit { user: self.id(self.user)?, item: self.id(self.item)?, event_type }))
    }

    fn id(&self, column: usize) -> Result<String, DatasetError> {
        let text = self.record.get(column).unwrap_or_default();
        id_field("", Some(&Value::String(text.to_owned())))
            .map_err(|invalid| self.wrong(column, &invalid.got, "an id of 1 to 128 bytes without control characters"))
    }

    fn wrong(&self, column: usize, got: &str, expected: &str) -> DatasetError {
        DatasetError {
            file: self.file.clone(),
            line: self.record.position().map(csv::Position::line),
            column: self.header.get(column).map(str::to_owned),
            got: got.to_owned(),
            expected: expected.to_owned(),
        }
    }
}

impl Iterator for Dataset {
    type Item = Result<Visit, DatasetError>;

    /// Nothing after the first error: a file that is wrong once is not guessed at.
    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let row = self.row();
        self.failed = row.is_err();
        row.transpose()
    }
}

/// The CSV reader's errors in our words.
fn broken(file: &str, header: &StringRecord, line: u64, error: &csv::Error) -> DatasetError {
    let line = error.position().map_or(line, csv::Position::line);
    let (column, got, expected) = match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            (None, format!("{len} fields"), format!("{expected_len}, as in the header"))
        }
        ErrorKind::Utf8 { err, .. } => {
            (header.get(err.field()).map(str::to_owned), "bytes that are not UTF-8".to_owned(), "UTF-8".to_owned())
        }
        ErrorKind::Io(error) => (None, error.to_string(), "more of the file (is it whole?)".to_owned()),
        _ => (None, error.to_string(), "a row of CSV".to_owned()),
    };
    DatasetError { file: file.to_owned(), line: Some(line), column, got, expected }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn read(text: &[u8]) -> Result<Vec<Visit>, DatasetError> {
        Dataset::read("f.csv".into(), Box::new(std::io::Cursor::new(text.to_vec())))?.collect()
    }

    #[test]
    fn rows_are_read_in_order_by_the_names_of_their_columns() {
        let visits = read(b"ts,item,User,type\n1, 10 ,a,pv\n2,11,b,BUY\n3,12,a,cart\n").unwrap();
        let seen: Vec<_> = visits.iter().map(|v| (v.user.as_str(), v.item.as_str(), v.event_type)).collect();
        assert_eq!(
            seen,
            [("a", "10", EventType::ProductView), ("b", "11", EventType::Purchase), ("a", "12", EventType::AddToCart)]
        );
        assert_eq!(read(b"session,item,split\n0,1,train\n").unwrap()[0].event_type, EventType::ProductView);
    }

    #[test]
    fn gzip_is_known_by_its_bytes_and_a_cut_file_says_so() {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gz.write_all(b"session,item\n").unwrap();
        (0..5_000).for_each(|n| writeln!(gz, "{n},{}", n * 7_919 % 10_007).unwrap());
        let bytes = gz.finish().unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        assert_eq!(Dataset::open(file.path()).unwrap().flatten().count(), 5_000);
        file.as_file().set_len(bytes.len() as u64 / 2).unwrap();
        let error = Dataset::open(file.path()).unwrap().find_map(Result::err).unwrap();
        assert!(error.to_string().contains("is it whole?") && error.line > Some(1), "{error}");
    }

    #[test]
    fn an_error_names_file_line_column_what_came_and_what_was_expected() {
        for (text, expected) in [
            (&b"session,item\n1,2\n1,\n"[..], "f.csv, line 3, column item: got an empty string, expected an id"),
            (b"session,item,type\n1,2,look\n", "f.csv, line 2, column type: got \"look\", expected one of pv, view"),
            (b"session,item\n1,2\n1,2,3\n", "f.csv, line 3: got 3 fields, expected 2, as in the header"),
            (b"session,item\n1,\xff\n", "f.csv, line 2, column item: got bytes that are not UTF-8, expected UTF-8"),
            (b"who,item\n", "f.csv, line 1: got the columns \"who,item\", expected a column user or session"),
            (b"user\n", "f.csv, line 1: got the columns \"user\", expected a column item"),
            (b"", "f.csv, line 1: got the columns \"\", expected a column user or session"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        let missing = Dataset::open(Path::new("/nowhere/f.csv")).err().unwrap().to_string();
        assert!(missing.contains("/nowhere/f.csv: got No such file"), "{missing}");
    }
}
