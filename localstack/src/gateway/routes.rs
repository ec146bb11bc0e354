//! Which stage and which route take a request.
//!
//! A full match comes before one with a greedy variable, that before `$default`; among equals a literal segment before a
//! variable, and the method itself before `ANY`.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>

use std::collections::BTreeMap;

use super::request::decode;
use crate::template::model::HttpRoute;

/// A route with the variables of the path.
#[derive(Debug)]
pub(crate) struct Matched {
    /// Its place among the API's routes.
    pub(crate) index: usize,
    pub(crate) parameters: BTreeMap<String, String>,
}

/// The path behind the stage's name; `None`: it leads to another stage.
pub(crate) fn behind_stage<'a>(stage: &str, path: &'a str) -> Option<&'a str> {
    if stage == "$default" {
        return Some(path);
    }
    let rest = path.strip_prefix('/')?.strip_prefix(stage)?;
    match rest {
        "" => Some("/"),
        rest => rest.starts_with('/').then_some(rest),
    }
}

/// The routes of an API, cut into segments once.
pub(crate) struct Routes(Vec<Route>);

struct Route {
    method: String,
    /// `None`: `$default`.
    segments: Option<Vec<Segment>>,
}

enum Segment {
    Literal(String),
    Variable(String),
    Greedy(String),
}

/// How closely a route fits: not whole, then by segment literal 0, variable 1, then `ANY`.
type Rank = (u8, Vec<u8>, bool);

impl Routes {
    pub(crate) fn new(routes: &[HttpRoute]) -> Self {
        let cut = |route: &HttpRoute| Route {
            method: route.method.clone(),
            segments: (route.path != "$default").then(|| segments(&route.path)),
        };
        Self(routes.iter().map(cut).collect())
    }

    /// `path` as it came, still encoded.
    pub(crate) fn find(&self, method: &str, path: &str) -> Option<Matched> {
        let candidates = self.0.iter().enumerate().filter(|(_, route)| route.method == "ANY" || route.method == method);
        let ranked = candidates.filter_map(|(index, route)| {
            let (whole, segments) = match &route.segments {
                None => (2, Vec::new()),
                Some(segments) => fit(segments, path)?,
            };
            let rank: Rank = (whole, segments, route.method == "ANY");
            Some((rank, index))
        });
        let (_, index) = ranked.min()?;
        let parameters = self.0[index].segments.as_deref().map(|segments| variables(segments, path));
        Some(Matched { index, parameters: parameters.unwrap_or_default() })
    }
}

fn segments(path: &str) -> Vec<Segment> {
    let cut = |segment: &str| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        None => Segment::Literal(segment.to_owned()),
        Some(name) => match name.strip_suffix('+') {
            Some(name) => Segment::Greedy(name.to_owned()),
            None => Segment::Variable(name.to_owned()),
        },
    };
    trimmed(path).split('/').map(cut).collect()
}

fn trimmed(path: &str) -> &str {
    path.strip_prefix('/').unwrap_or(path)
}

/// 0 for a whole match, 1 for a greedy one, and the rank of each segment.
fn fit(wanted: &[Segment], path: &str) -> Option<(u8, Vec<u8>)> {
    let mut rank = Vec::with_capacity(wanted.len());
    let mut segments = trimmed(path).split('/');
    for wanted in wanted {
        let segment = segments.next()?;
        match wanted {
            Segment::Literal(text) if *text == segment => rank.push(0),
            Segment::Variable(_) if !segment.is_empty() => rank.push(1),
            Segment::Greedy(_) => return Some((1, rank_greedy(rank))),
            Segment::Literal(_) | Segment::Variable(_) => return None,
        }
    }
    // A path that goes on, be it with a slash alone, is another one.
    segments.next().is_none().then_some((0, rank))
}

/// The longer the part before the greedy variable, the closer.
fn rank_greedy(mut rank: Vec<u8>) -> Vec<u8> {
    rank.push(2);
    rank
}

fn variables(wanted: &[Segment], path: &str) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    let mut rest = trimmed(path);
    for wanted in wanted {
        let (segment, behind) = rest.split_once('/').unwrap_or((rest, ""));
        match wanted {
            Segment::Literal(_) => {}
            Segment::Variable(name) => drop(parameters.insert(name.clone(), decode(segment))),
            Segment::Greedy(name) => drop(parameters.insert(name.clone(), decode(rest))),
        }
        rest = behind;
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(routes: &[&str], request: &str) -> Option<String> {
        let routes: Vec<HttpRoute> = routes
            .iter()
            .map(|key| {
                let (method, path) = key.split_once(' ').unwrap_or(("ANY", key));
                HttpRoute { method: method.into(), path: path.into(), ..HttpRoute::default() }
            })
            .collect();
        let (method, path) = request.split_once(' ').unwrap();
        Routes::new(&routes).find(method, path).map(|found| routes[found.index].key())
    }

    fn check(routes: &[&str], cases: &[(&str, Option<&str>)]) {
        for (request, wanted) in cases {
            assert_eq!(taken(routes, request).as_deref(), *wanted, "{request}");
        }
    }

    #[test]
    fn the_developer_guides_example_is_routed_as_it_says() {
        let routes = ["GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default"];
        check(
            &routes,
            &[
                ("GET /pets/dog/1", Some("GET /pets/dog/1")),
                ("GET /pets/dog/2", Some("GET /pets/dog/{id}")),
                ("GET /pets/cat/1", Some("GET /pets/{proxy+}")),
                ("POST /test/5", Some("ANY /{proxy+}")),
            ],
        );
    }

    #[test]
    fn a_full_match_comes_before_a_greedy_one_however_literal_that_is() {
        check(&["GET /pets/{proxy+}", "GET /{kind}/{id}"], &[("GET /pets/1", Some("GET /{kind}/{id}"))]);
    }

    #[test]
    fn the_longer_path_before_a_greedy_variable_wins() {
        let routes = ["ANY /{proxy+}", "ANY /api/{proxy+}", "ANY /api/v1/{proxy+}", "ANY /{any}/v1/{proxy+}"];
        check(
            &routes,
            &[("GET /api/v1/x", Some("ANY /api/v1/{proxy+}")), ("GET /api/v2/x", Some("ANY /api/{proxy+}"))],
        );
    }

    #[test]
    fn the_method_itself_comes_before_any() {
        let routes = ["ANY /pets", "GET /pets", "$default"];
        check(&routes, &[("GET /pets", Some("GET /pets")), ("PUT /pets", Some("ANY /pets"))]);
    }

    #[test]
    fn default_takes_what_nothing_else_does() {
        let routes = ["GET /pets", "$default"];
        check(
            &routes,
            &[("POST /pets", Some("$default")), ("GET /", Some("$default")), ("GET /a/b", Some("$default"))],
        );
        check(&["GET /pets"], &[("POST /pets", None), ("GET /", None)]);
    }

    #[test]
    fn a_trailing_slash_makes_another_path() {
        let routes = ["GET /pets", "GET /pets/{id}", "GET /files/{proxy+}", "GET /with/"];
        check(
            &routes,
            &[
                ("GET /pets/", None),
                ("GET /pets/1", Some("GET /pets/{id}")),
                ("GET /pets/1/", None),
                ("GET /files", None),
                ("GET /files/", Some("GET /files/{proxy+}")),
                ("GET /with/", Some("GET /with/")),
                ("GET /with", None),
            ],
        );
    }

    #[test]
    fn a_greedy_variable_at_the_root_takes_the_root_too() {
        check(&["ANY /{proxy+}"], &[("GET /", Some("ANY /{proxy+}")), ("GET //", Some("ANY /{proxy+}"))]);
        check(&["GET /"], &[("GET /", Some("GET /")), ("GET //", None)]);
    }

    #[test]
    fn head_and_options_have_routes_of_their_own_or_any() {
        let routes = ["GET /pets", "ANY /any", "OPTIONS /pets"];
        check(
            &routes,
            &[
                ("HEAD /pets", None),
                ("HEAD /any", Some("ANY /any")),
                ("OPTIONS /pets", Some("OPTIONS /pets")),
                ("OPTIONS /any", Some("ANY /any")),
            ],
        );
    }

    #[test]
    fn literals_are_compared_as_they_are_and_variables_decoded() {
        let route = HttpRoute { method: "GET".into(), path: "/Users/{id}/{rest+}".into(), ..HttpRoute::default() };
        let routes = Routes::new(&[route]);
        assert!(routes.find("GET", "/users/1/x").is_none());
        let found = routes.find("GET", "/Users/a%20b%2Fc/d/%C3%A9/..%2f..").unwrap();
        assert_eq!(found.parameters["id"], "a b/c");
        assert_eq!(found.parameters["rest"], "d/é/../..");
    }

    #[test]
    fn a_named_stage_stands_before_every_path() {
        assert_eq!(behind_stage("Prod", "/Prod/pets"), Some("/pets"));
        assert_eq!(behind_stage("Prod", "/Prod/"), Some("/"));
        assert_eq!(behind_stage("Prod", "/Prod"), Some("/"));
        for other in ["/pets", "/", "/Production/pets", "/prod/pets", ""] {
            assert_eq!(behind_stage("Prod", other), None, "{other}");
        }
        assert_eq!(behind_stage("$default", "/pets"), Some("/pets"));
    }
}
