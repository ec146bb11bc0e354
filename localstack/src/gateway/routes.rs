//! Which route takes a request: a full match before path variables before a greedy variable before `$default`.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use crate::template::model::HttpRoute;

/// A route with the variables of the path.
pub(super) struct Matched<'a> {
    pub(super) route: &'a HttpRoute,
    pub(super) parameters: BTreeMap<String, String>,
}

/// How closely a route fits: per segment literal 0, variable 1, greedy 2; then the method itself before `ANY`.
type Rank = (Vec<u8>, bool);

pub(super) fn find<'a>(routes: &'a [HttpRoute], method: &str, path: &str) -> Option<Matched<'a>> {
    let candidates = routes.iter().filter(|route| route.method == "ANY" || route.method == method);
    let matches = candidates.filter_map(|route| {
        let (rank, parameters) = fit(&route.path, path)?;
        Some(((rank, route.method == "ANY"), Matched { route, parameters }))
    });
    matches.min_by(|a: &(Rank, _), b| a.0.cmp(&b.0)).map(|(_, matched)| matched)
}

fn fit(pattern: &str, path: &str) -> Option<(Vec<u8>, BTreeMap<String, String>)> {
    if pattern == "$default" {
        return Some((vec![3], BTreeMap::new()));
    }
    let mut rank = Vec::new();
    let mut parameters = BTreeMap::new();
    let mut segments = path.trim_start_matches('/').split('/');
    for wanted in pattern.trim_start_matches('/').split('/') {
        let variable = wanted.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        if let Some(name) = variable.and_then(|name| name.strip_suffix('+')) {
            let rest: Vec<&str> = segments.by_ref().collect();
            if rest.is_empty() {
                return None;
            }
            rank.push(2);
            parameters.insert(name.to_owned(), decode(&rest.join("/")));
            return Some((rank, parameters));
        }
        let segment = segments.next()?;
        match variable {
            Some(name) if !segment.is_empty() => {
                rank.push(1);
                parameters.insert(name.to_owned(), decode(segment));
            }
            None if segment == wanted => rank.push(0),
            _ => return None,
        }
    }
    // A path that goes on is another one.
    segments.next().is_none().then_some((rank, parameters))
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str) -> HttpRoute {
        HttpRoute { method: method.into(), path: path.into(), function: format!("{method} {path}"), timeout_ms: 1 }
    }

    #[test]
    fn the_closest_route_takes_the_request() {
        let routes = [
            route("ANY", "$default"),
            route("GET", "/api/{proxy+}"),
            route("GET", "/api/recommendations/{userId}"),
            route("ANY", "/api/recommendations/{userId}"),
            route("GET", "/api/recommendations/metrics/live"),
            route("GET", "/api/recommendations/metrics"),
        ];
        let taken = |method, path| find(&routes, method, path).map(|found| found.route.function.clone());
        for (method, path, wanted) in [
            ("GET", "/api/recommendations/metrics/live", "GET /api/recommendations/metrics/live"),
            ("GET", "/api/recommendations/metrics", "GET /api/recommendations/metrics"),
            ("GET", "/api/recommendations/7", "GET /api/recommendations/{userId}"),
            ("PUT", "/api/recommendations/7", "ANY /api/recommendations/{userId}"),
            ("GET", "/api/other/deep", "GET /api/{proxy+}"),
            ("POST", "/api/other", "ANY $default"),
        ] {
            assert_eq!(taken(method, path).as_deref(), Some(wanted), "{method} {path}");
        }
        let found = find(&routes, "GET", "/api/recommendations/a%20b").unwrap();
        assert_eq!(found.parameters["userId"], "a b");
        assert!(find(&routes[1..], "GET", "/").is_none());
    }
}
