use super::*;

#[test]
fn every_built_in_script_is_sound() {
    for (name, _) in BUILTIN {
        let scenario = builtin(name).unwrap();
        assert!(!scenario.about.is_empty(), "{name}");
        for script in &scenario.scripts {
            let last = script.expect.iter().map(|e| e.by).max().unwrap_or_default();
            assert!(last <= scenario.duration, "{name}: bed {} expects after the end", script.bed);
        }
    }
}

#[test]
fn an_unknown_name_is_answered_with_the_names_there_are() {
    let error = builtin("nothing").unwrap_err().to_string();
    assert!(
        error.contains("scenario nothing: not known: expected one of demo, quiet, "),
        "{error}"
    );
}

fn fault(text: &str) -> String {
    parse("x", text).unwrap_err().to_string()
}

#[test]
fn wrong_scripts_are_refused_with_the_place() {
    let head = "about = \"a\"\nduration_s = 10\n";
    assert!(fault("about = 1").contains("about"));
    assert!(fault(&format!("{head}colour = 1\n")).contains("unknown field `colour`"));
    assert!(fault(&format!("{head}[[bed]]\nnumber = 2\n")).contains("bed number 2: expected 1 to 1"));
    assert!(fault(&format!("{head}[[bed]]\nnumber = 1\nspeed = 0\n")).contains("bed 1: speed 0: expected 0.01 to 10000"));
    assert!(fault(&format!("{head}[[bed]]\nnumber = 1\n[[bed]]\nnumber = 1\n")).contains("bed 1: scripted twice"));
    let happening = |act: &str| {
        fault(&format!(
            "{head}[[bed]]\nnumber = 1\nhappening = [{{ at_s = 1, act = {act} }}]\n"
        ))
    };
    assert!(happening("{ rhythm = \"waltz\" }").contains("waltz"));
    assert!(happening("\"explode\"").contains("explode"));
    let expect = format!("{head}[[bed]]\nnumber = 1\nexpect = [{{ kind = \"hr_low\", from_s = 5, by_s = 5 }}]\n");
    assert!(fault(&expect).contains("bed 1: hr_low: from_s is not before by_s"));
    assert!(fault("about = \"a\"\nduration_s = -1\n").contains("duration_s = -1: expected 0 to 604800 seconds"));
}
