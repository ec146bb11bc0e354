//! JSON Web Tokens: form, signature, claims.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::template::model::JwtAuthorizer;

/// A public key: modulus and exponent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RsaKey {
    pub(crate) n: Vec<u8>,
    pub(crate) e: Vec<u8>,
}

/// A token that is well formed; nothing of it is believed yet.
#[derive(Debug)]
pub(crate) struct Token<'a> {
    pub(crate) key_id: String,
    algorithm: &'static RsaParameters,
    signed: &'a str,
    signature: Vec<u8>,
    pub(crate) claims: Map<String, Value>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

impl<'a> Token<'a> {
    /// Reads `header.claims.signature`, with or without `Bearer ` before it.
    ///
    /// # Errors
    /// What is wrong with it, as the client is told.
    pub(crate) fn read(text: &'a str) -> Result<Self, String> {
        let text = text.trim();
        let token = match text.split_at_checked(7) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer ") => rest.trim_start(),
            _ => text,
        };
        let mut parts = token.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("token contains an invalid number of segments".to_owned());
        };
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| "token contains illegal base64 data");
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| "token header is not valid JSON")?;
        let algorithm = match header.alg.as_str() {
            "RS256" => &RSA_PKCS1_2048_8192_SHA256,
            "RS384" => &RSA_PKCS1_2048_8192_SHA384,
            "RS512" => &RSA_PKCS1_2048_8192_SHA512,
            other => {
                // Part of a header of ours: nothing but letters and digits goes in.
                let name: String = other.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
                return Err(format!("signing method {name} is invalid"));
            }
        };
        let key_id = header.kid.ok_or("token header does not name a key")?;
        let Ok(Value::Object(claims)) = serde_json::from_slice(&decode(claims)?) else {
            return Err("token claims are not a JSON object".to_owned());
        };
        let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
        Ok(Self { key_id, algorithm, signed, signature: decode(signature)?, claims })
    }

    pub(crate) fn is_signed_by(&self, key: &RsaKey) -> bool {
        let key = RsaPublicKeyComponents { n: &key.n, e: &key.e };
        key.verify(self.algorithm, self.signed.as_bytes(), &self.signature).is_ok()
    }

    /// Checks issuer, audience and times; `now_s` in seconds since the epoch.
    ///
    /// # Errors
    /// What is wrong, as the client is told.
    pub(crate) fn check(&self, authorizer: &JwtAuthorizer, now_s: i64) -> Result<(), &'static str> {
        let text = |name: &str| self.claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(authorizer.issuer.as_str()) {
            return Err("the token does not have a valid issuer");
        }
        let is_ours = |audience: &str| authorizer.audience.iter().any(|known| known == audience);
        let audience = match self.claims.get("aud") {
            Some(Value::String(audience)) => is_ours(audience),
            Some(Value::Array(audiences)) => audiences.iter().filter_map(Value::as_str).any(is_ours),
            Some(_) => false,
            // Of Cognito's access tokens, which have no audience.
            None => text("client_id").is_some_and(is_ours),
        };
        if !audience {
            return Err("the token does not have a valid audience");
        }
        let now = now_s as f64;
        match self.claims.get("exp").map(Value::as_f64) {
            Some(Some(expiry)) if expiry > now => {}
            _ => return Err("the token has expired"),
        }
        for name in ["nbf", "iat"] {
            match self.claims.get(name).map(Value::as_f64) {
                None => {}
                Some(Some(from)) if from <= now => {}
                Some(_) => return Err("the token is not valid yet"),
            }
        }
        Ok(())
    }

    /// Those of `wanted` that the token has; in `scope` as a text, in `scp` as a text or a list.
    pub(crate) fn scopes(&self, wanted: &[String]) -> Vec<String> {
        let mut owned: Vec<&str> = Vec::new();
        for claim in ["scope", "scp"].iter().filter_map(|name| self.claims.get(*name)) {
            match claim {
                Value::String(text) => owned.extend(text.split(' ')),
                Value::Array(texts) => owned.extend(texts.iter().filter_map(Value::as_str)),
                _ => {}
            }
        }
        wanted.iter().filter(|scope| owned.contains(&scope.as_str())).cloned().collect()
    }

    /// `{"claims", "scopes"}` as the function gets it: every claim is a text.
    pub(crate) fn context(&self, scopes: Option<&[String]>) -> Value {
        let claims: Map<String, Value> =
            self.claims.iter().map(|(name, claim)| (name.clone(), Value::String(shown(claim)))).collect();
        json!({"claims": claims, "scopes": scopes})
    }
}

/// A claim as a text: lists as `[a b]`, objects as `map[a:b]`.
fn shown(claim: &Value) -> String {
    match claim {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => claim.to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
        Value::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}:{}", shown(value))).collect();
            format!("map[{}]", fields.join(" "))
        }
    }
}
