//! Each value of a rule has its field, and what is typed becomes the rule or an error next to the field.

use super::*;
use crate::rule::Rules;

const BUCKET: SignedDuration = SignedDuration::from_mins(1);

fn shipped(name: &str) -> AlertingRule {
    let rules: Rules = toml::from_str(include_str!("../../../../../config/rules.toml")).unwrap();
    rules.rules.into_iter().find(|rule| rule.name == name).unwrap()
}

fn of(text: &str) -> AlertingRule {
    toml::from_str::<Rules>(text).unwrap().rules.remove(0)
}

fn form(rule: &AlertingRule) -> RuleForm {
    RuleForm::new(rule, Language::English).unwrap()
}

fn names(form: &RuleForm) -> Vec<&str> {
    form.groups.iter().flat_map(|group| &group.fields).map(|field| field.name.as_str()).collect()
}

fn typed(form: &mut RuleForm, changes: &[(&str, &str)]) -> Option<AlertingRule> {
    form.fill(&|name| changes.iter().find(|(changed, _)| *changed == name).map(|(_, text)| (*text).to_owned()));
    form.rule(BUCKET)
}

fn errors(form: &RuleForm) -> Vec<(String, String)> {
    let fields = form.groups.iter().flat_map(|group| &group.fields);
    fields.filter_map(|field| Some((field.name.clone(), field.error.clone()?))).collect()
}

#[test]
fn the_fields_have_the_values_of_the_rule() {
    let rule = shipped("NegativeRising");
    let mut form = form(&rule);
    assert_eq!(form.groups.len(), 3, "the rule and its two conditions");
    let field = |name: &str| {
        let field = form.groups.iter().flat_map(|group| &group.fields).find(|field| field.name == name);
        field.unwrap_or_else(|| panic!("{name} is missing: {:?}", names(&form))).value.clone()
    };
    assert_eq!(field("keep_firing_for"), "1h");
    assert_eq!(field("max_open"), "", "not set");
    assert_eq!(field("labels.severity"), "warning");
    assert_eq!(field("condition.any[0].false_alarm_every"), "60d");
    assert_eq!(field("condition.any[0].lift"), "0.05, 0.1, 0.2, 0.3");
    assert_eq!(field("condition.any[1].times"), "1.5, 2, 3, 6");
    assert!(!names(&form).contains(&"condition.any[1].lift"), "it tests multiples");
    assert_eq!(form.rule(BUCKET), Some(rule), "nothing was changed");
    assert!(!form.is_changed());
}

#[test]
fn what_is_typed_becomes_the_rule() {
    let rule = of(r#"
        [[rule]]
        name = "Rate"
        condition = { type = "negative_rate", window = "1h", above = { baseline = "seasonal", margin = 0.1 } }
    "#);
    let mut form = form(&rule);
    let changes = [
        ("for", "10m"),
        ("max_open", "3d"),
        ("labels.severity", "critical"),
        ("condition.window", "2h"),
        ("condition.above.baseline", "24h"),
        ("condition.above.margin", "0,15"),
        ("condition.above.recover_margin", "0.05"),
        ("condition.min_posts", " 30 "),
    ];
    let expected = of(r#"
        [[rule]]
        name = "Rate"
        for = "10m"
        max_open = "3d"
        labels = { severity = "critical" }
        condition = { type = "negative_rate", window = "2h", min_posts = 30, above = { baseline = "24h", margin = 0.15, recover_margin = 0.05 } }
    "#);
    assert_eq!(typed(&mut form, &changes), Some(expected));
    assert!(form.is_changed());
}

#[test]
fn an_optional_value_can_be_left_out() {
    let rule = of(r#"
        [[rule]]
        name = "Rate"
        max_open = "3d"
        condition = { type = "negative_rate", window = "1h", above = 0.8, recover_below = 0.7 }
    "#);
    let left = typed(&mut form(&rule), &[("max_open", ""), ("condition.recover_below", "")]).unwrap();
    assert_eq!(left.configured_max_open, None);
    assert!(!toml::to_string(&left).unwrap().contains("recover"), "{left:?}");
}

#[test]
fn an_error_stands_beside_its_field() {
    let rule = shipped("NegativeRising");
    for (name, text) in [
        ("for", "abc"),
        ("for", "-5m"),
        ("keep_firing_for", ""),
        ("labels.severity", "two words"),
        ("condition.any[0].min_posts", "-1"),
        ("condition.any[0].min_posts", "99999999999999"),
        ("condition.any[0].min_votes", "NaN"),
        ("condition.any[0].min_votes", "inf"),
        ("condition.any[0].lift", "0.1, much"),
        ("condition.any[0].lift", ""),
        // These are numbers and durations, and no sound rule.
        ("condition.any[0].lift", "2"),
        ("condition.any[0].window", "90s"),
        ("condition.any[0].window", "9999d"),
        ("condition.any[1].false_alarm_every", "1m"),
        ("condition.any[1].times", "0.5"),
    ] {
        for language in [Language::English, Language::French] {
            let mut form = RuleForm::new(&rule, language).unwrap();
            assert_eq!(typed(&mut form, &[(name, text)]), None, "{name} = {text}");
            let errors = errors(&form);
            assert!(errors.len() == 1 && errors[0].0 == name, "{name} = {text}: {errors:?}");
            assert_eq!(form.error, None);
        }
    }
    let mut french = RuleForm::new(&rule, Language::French).unwrap();
    typed(&mut french, &[("condition.any[0].window", "90s")]);
    assert!(errors(&french)[0].1.contains("multiple de 1m"), "{:?}", errors(&french));
}

#[test]
fn fields_of_every_type_of_condition_are_read_back() {
    for condition in [
        r#"{ type = "negative_rate", window = "1h", above = 0.8 }"#,
        r#"{ type = "negative_volume", window = "1h", above = 50 }"#,
        r#"{ type = "negative_volume", window = "1h", above = { baseline = "24h", times = 3.0 } }"#,
        r#"{ type = "negative_volume", window = "1h", above = { baseline = "seasonal" } }"#,
        r#"{ type = "volume" }"#,
        r#"{ type = "no_data" }"#,
    ] {
        let rule = of(&format!("[[rule]]\nname = \"A\"\ncondition = {condition}"));
        let mut form = form(&rule);
        let fields: Vec<Field> = form.groups[1].fields.clone();
        assert!(fields.len() >= 3, "{condition}: {:?}", names(&form));
        for field in &fields {
            assert_ne!(field.label, label("", Language::English), "{} has no words", field.name);
        }
        // Typed again in another form, every value stays what it is.
        for field in form.groups.iter_mut().flat_map(|group| &mut group.fields) {
            field.present = "?".into();
        }
        assert_eq!(form.rule(BUCKET), Some(rule), "{condition}");
    }
}
