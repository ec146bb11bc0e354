//! A CSV file with a header, gzipped or not, row by row, and what is wrong with it in words.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use csv::{ErrorKind, ReaderBuilder, StringRecord};
use flate2::bufread::MultiGzDecoder;

/// What a gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Longest row in bytes: a quote that is never closed must not read the whole file into one field.
const MAX_ROW: usize = 1 << 20;
/// Longest id in bytes, as everywhere in Freshet.
const MAX_ID: usize = 128;
/// So much of a wrong text is quoted, in characters.
const QUOTED: usize = 60;

/// What is wrong with a file, and where: file, line, column, what was expected and what came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{place}: expected {expected}, got {got}")]
pub struct DatasetError {
    file: String,
    /// Line and column as words, where they are known.
    place: String,
    expected: String,
    got: String,
}

impl DatasetError {
    pub(crate) fn new(file: &str, line: Option<u64>, column: Option<&str>, expected: &str, got: &str) -> Self {
        let mut place = line.map_or_else(String::new, |line| format!(", line {line}"));
        if let Some(column) = column {
            place.push_str(", column ");
            place.push_str(&shortened(column));
        }
        Self { file: file.to_owned(), place, expected: expected.to_owned(), got: got.to_owned() }
    }
}

/// A text in quotes, cut where it is long.
pub(crate) fn quoted(text: &str) -> String {
    format!("{:?}", shortened(text))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The file, after its header, at some row.
pub(crate) struct Table {
    file: String,
    reader: csv::Reader<Bounded>,
    /// Bytes that may still be read for the present row.
    left: Rc<Cell<usize>>,
    header: StringRecord,
    record: StringRecord,
}

impl Table {
    pub(crate) fn open(path: &Path) -> Result<Self, DatasetError> {
        let file = path.display().to_string();
        match File::open(path) {
            Ok(input) => Self::read(&file, Box::new(input)),
            Err(error) => Err(unreadable(&file, None, &error)),
        }
    }

    /// Reads the header; gzip is known by its first bytes, whatever the file is called.
    pub(crate) fn read(file: &str, input: Box<dyn Read>) -> Result<Self, DatasetError> {
        let mut input = BufReader::new(input);
        let gzipped = input.fill_buf().map_err(|error| unreadable(file, None, &error))?.starts_with(&GZIP);
        let inner: Box<dyn Read> = if gzipped { Box::new(MultiGzDecoder::new(input)) } else { Box::new(input) };
        let left = Rc::new(Cell::new(MAX_ROW));
        let mut reader =
            ReaderBuilder::new().trim(csv::Trim::All).from_reader(Bounded { inner, left: Rc::clone(&left) });
        let header = match reader.headers() {
            Ok(header) => header.clone(),
            Err(error) => return Err(broken(file, &StringRecord::new(), 1, &error)),
        };
        if header.is_empty() {
            return Err(DatasetError::new(file, Some(1), None, "a header with the columns' names", "an empty file"));
        }
        Ok(Self { file: file.to_owned(), reader, left, header, record: StringRecord::new() })
    }

    pub(crate) fn header(&self) -> &StringRecord {
        &self.header
    }

    /// The number of the first column with this name, in any case.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column.eq_ignore_ascii_case(name))
    }

    /// The number of a column that has to be there.
    pub(crate) fn need(&self, names: &[&str]) -> Result<usize, DatasetError> {
        names.iter().find_map(|name| self.column(name)).ok_or_else(|| {
            let columns = self.header.iter().take(20).collect::<Vec<_>>().join(",");
            let expected = format!("a column {}", names.join(" or "));
            DatasetError::new(&self.file, Some(1), None, &expected, &format!("the columns {}", quoted(&columns)))
        })
    }

    /// Goes to the next row; false after the last one.
    pub(crate) fn next_row(&mut self) -> Result<bool, DatasetError> {
        self.left.set(MAX_ROW);
        let line = self.reader.position().line();
        self.reader.read_record(&mut self.record).map_err(|error| broken(&self.file, &self.header, line, &error))
    }

    /// The present row's text in a column, without spaces around it.
    pub(crate) fn text(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or_default()
    }

    /// The present row's text as an id.
    pub(crate) fn id(&self, column: usize) -> Result<&str, DatasetError> {
        let text = self.text(column);
        if text.is_empty() || text.len() > MAX_ID || text.chars().any(char::is_control) {
            let expected = format!("an id of 1 to {MAX_ID} bytes without control characters");
            return Err(self.wrong(column, &expected));
        }
        Ok(text)
    }

    /// The error that nothing follows the header.
    pub(crate) fn none(&self) -> DatasetError {
        DatasetError::new(&self.file, Some(2), None, "at least one row after the header", "the end of the file")
    }

    /// The error that the present row's text in this column is something else.
    pub(crate) fn wrong(&self, column: usize, expected: &str) -> DatasetError {
        let line = self.record.position().map(csv::Position::line);
        DatasetError::new(&self.file, line, self.header.get(column), expected, &quoted(self.text(column)))
    }
}

fn unreadable(file: &str, line: Option<u64>, error: &io::Error) -> DatasetError {
    DatasetError::new(file, line, None, "a CSV file, gzipped or not, whole and readable", &error.to_string())
}

/// The CSV reader's errors in our words.
fn broken(file: &str, header: &StringRecord, line: u64, error: &csv::Error) -> DatasetError {
    let line = Some(error.position().map_or(line, csv::Position::line));
    match error.kind() {
        ErrorKind::Io(error) => unreadable(file, line, error),
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            let expected = format!("{expected_len} fields, as in the header");
            DatasetError::new(file, line, None, &expected, &len.to_string())
        }
        ErrorKind::Utf8 { err, .. } => {
            DatasetError::new(file, line, header.get(err.field()), "UTF-8", "bytes that are not UTF-8")
        }
        _ => DatasetError::new(file, line, None, "a row of CSV", &error.to_string()),
    }
}

/// Gives no more than a row's worth of bytes before somebody says that a new row begins.
struct Bounded {
    inner: Box<dyn Read>,
    left: Rc<Cell<usize>>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(self.left.get());
        if most == 0 && !buffer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a row of more than 1 MiB (a quote left open?)"));
        }
        let count = self.inner.read(&mut buffer[..most])?;
        self.left.set(self.left.get() - count.min(most));
        Ok(count)
    }
}
