"""Checkpoints are not seen: not in values, not in places, not in messages."""

import pytest

# Where code is inserted, in and around many kinds of code.
PROGRAM = """
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};
macro_rules! twice { ($e:expr) => { { let a = $e; a + $e } } }
const fn power(n: u32) -> u32 { let mut i = 0; let mut p = 1; while i < n { p *= 2; i += 1; } p }
const TABLE: [u32; power(3) as usize] = { let mut t = [0; 8]; let mut i = 0; while i < 8 { t[i] = i as u32; i += 1; } t };
trait Sound { fn sound(&self) -> String { "?".to_string() } fn loud(&self) -> String { self.sound().to_uppercase() } }
struct Cat; impl Sound for Cat { fn sound(&self) -> String { "meow".into() } }
struct Noisy(Rc<RefCell<Vec<&'static str>>>, &'static str);
impl Drop for Noisy { fn drop(&mut self) { self.0.borrow_mut().push(self.1); } }
extern "C" fn from_c(n: i32) -> i32 { let mut s = 0; for i in 0..n { s += i; } s }
fn first<'a>(words: &'a [String]) -> impl Iterator<Item = &'a str> + 'a { words.iter().map(|word| word.as_str()) }
fn find(n: u32) -> Option<u32> { 'outer: loop { for i in 0.. { if i * i > n { break 'outer Some(i); } } } }
fn never() -> ! { loop { std::process::abort() } }
async fn later(n: u32) -> u32 { for _ in 0..n { tokio::task::yield_now().await; } n }
"""

VALUES = [
    ("(power(4), TABLE[5], Cat.loud(), from_c(4), find(10))", '(16, 5, "MEOW", 6, Some(4))'),
    ("{ let v: Vec<i32> = (1..4).map(|x| x * x).filter(|x| x % 2 == 1).collect(); v }", "[1, 9]"),
    ("twice!(power(2))", "8"),
    ("{ let words = vec![String::from(\"a\"), String::from(\"b\")]; first(&words).collect::<Vec<_>>().join(\"-\") }", '"a-b"'),
    ("{ let f = |x: &mut Vec<i32>| x.push(1); let mut v = vec![]; f(&mut v); f(&mut v); v.len() }", "2"),
    ("{ let g = |n| match n { 0 => \"none\", _ => \"some\" }.len(); g(0) + g(1) }", "8"),
    ("{ let m: BTreeMap<_, _> = (0..3).map(|i| (i, move |x: i32| x + i)).collect(); m[&2](5) }", "7"),
    ("{ let f = async |x: u32| x + 1; later(3).await + f(1).await }", "5"),
    ("(|| -> Result<i32, std::num::ParseIntError> { let n: i32 = \"7\".parse()?; Ok(n) })()", "Ok(7)"),
    # The guard of a temporary lives as long as it does in a program.
    (
        "{ let log = Rc::new(RefCell::new(vec![]));\n"
        "  let make = |name| Noisy(log.clone(), name);\n"
        "  let read = |noisy: Noisy| noisy.1.len();\n"
        "  { let _a = make(\"a\"); read(make(\"b\")); make(\"c\"); let _d = make(\"d\"); }\n"
        "  log.borrow().join(\"\") }",
        '"bcda"',
    ),
    ("{ let m = std::sync::Mutex::new(5); let get = || *m.lock().unwrap(); get() + get() }", "10"),
]


@pytest.fixture(scope="module")
def with_program(kernel):
    cell = kernel.run(PROGRAM)
    assert cell.reply["status"] == "ok", cell.traceback
    return kernel


@pytest.mark.parametrize("code, value", VALUES)
def test_a_value_is_as_in_a_program(with_program, code, value):
    assert with_program.run(code).value == value


def test_values_are_the_same_without_checkpoints_and_optimised(own_kernel):
    code = "(" + ",\n".join(code for code, _ in VALUES) + ")"
    expected = "(" + ", ".join(value for _, value in VALUES) + ")"
    for environment, level in ({"INTERLEAVE_CHECKPOINTS": "0"}, "0"), ({}, "2"):
        kernel = own_kernel(**environment)
        assert kernel.run(f":opt {level}").reply["status"] == "ok"
        assert kernel.run(PROGRAM).reply["status"] == "ok"
        assert kernel.run(code).value == expected


@pytest.mark.parametrize(
    "line, marked",
    [
        ('for i in 0..3 { if i == 1 { f(i); let n: i32 = "x".parse().unwrap(); } }', "unwrap()"),
        ('f(1); f(2); [1, 2].iter().map(|n| f(n - 1)).for_each(|n| assert!(n > 9, "值"));', 'assert!(n > 9, "值")'),
    ],
)
def test_a_panic_is_marked_in_its_column(kernel, line, marked):
    code = f"fn f(n: i32) -> i32 {{ n }}\n{line}"
    shown = kernel.run(code).traceback.splitlines()
    [drawn] = [index for index, text in enumerate(shown) if line in text]
    carets = shown[drawn + 1]
    start = carets.index("^") - shown[drawn].index(line)
    assert line[start:].startswith(marked), "\n".join(shown)


def test_an_error_shows_only_what_the_student_wrote(kernel):
    cell = kernel.run("fn wrong() -> i32 { let n = |x| x + 1; n(1); loop { n(2); break \"text\" } }")
    assert cell.error["ename"] == "E0308"
    assert "checkpoint" not in cell.traceback
    assert 'break "text" } }' in cell.traceback
