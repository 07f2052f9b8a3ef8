//! The results of a backtest as one JSON object.

use serde_json::{Value, json};

use super::text::per_week;
use super::{Findings, VariantResult};
use crate::pipeline::backtest::{Basis, Judged, Judgement};

pub(super) fn object(findings: &Findings) -> Value {
    let outcome = &findings.outcome;
    let weeks = outcome.weeks();
    let basis = match &findings.basis {
        Basis::Incidents(incidents) => json!({ "by": "incidents", "incidents": incidents.iter().map(|incident| json!({
            "topic": incident.topic, "start": incident.begins, "end": incident.ends,
        })).collect::<Vec<_>>() }),
        Basis::Labels { margin } => json!({ "by": "labels", "margin": margin }),
        Basis::Nothing => json!({ "by": "nothing" }),
    };
    let mut object = json!({
        "type": "backtest",
        "posts": outcome.posts,
        "from": outcome.span.0,
        "to": outcome.span.1,
        "weeks": weeks,
        "blocks": outcome.blocks,
        "model": outcome.model,
        "rejected_by_reason": outcome.rejected,
        "judged": basis,
    });
    let rules =
        |results: &VariantResult| results.judgements.iter().map(|judgement| rule(judgement, weeks)).collect::<Vec<_>>();
    match &findings.sweep {
        None => object["rules"] = findings.results.iter().flat_map(rules).collect(),
        Some(sweep) => {
            let values =
                findings.results.iter().map(|results| json!({ "value": results.value, "rules": rules(results) }));
            object["sweep"] = json!({ "key": sweep.key, "values": values.collect::<Vec<_>>() });
        }
    }
    object
}

fn rule(judgement: &Judgement, weeks: f64) -> Value {
    let false_alarms = judgement.false_alarms();
    json!({
        "rule": judgement.rule,
        "fired": judgement.alerts.len(),
        "false_alarms": false_alarms,
        "false_alarms_per_week": false_alarms.and_then(|number| per_week(number, weeks)),
        "precision": judgement.precision(),
        "incidents": judgement.incidents,
        "found": judgement.incidents.map(|_| judgement.delays.len()),
        "median_delay_seconds": judgement.median_delay().map(|delay| delay.as_secs()),
        "alerts": judgement.alerts.iter().map(alert).collect::<Vec<_>>(),
    })
}

fn alert(judged: &Judged) -> Value {
    let alert = &judged.alert;
    json!({
        "topic": alert.topic,
        "starts_at": alert.starts_at,
        "fired_at": alert.fired_at,
        "ends_at": alert.ends_at,
        "peak_at": alert.peak_at,
        "peak": alert.peak,
        "false": judged.is_false,
        "delay_seconds": judged.delay.map(|delay| delay.as_secs()),
    })
}
