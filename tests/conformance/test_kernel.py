"""The suite that the Jupyter project has for kernels, with nothing left out."""

import jupyter_kernel_test as suite

PNG = 'display(&Png(b"\\x89PNG\\r\\n\\x1a\\n".to_vec()));'


class TestKernel(suite.KernelTests):
    """The messages of a kernel, one by one."""

    kernel_name = "interleave"
    language_name = "rust"
    file_extension = ".rs"
    code_hello_world = 'println!("hello, world");'
    code_stderr = 'eprintln!("hello, world");'
    completion_samples = [
        {"text": "std::process::abo", "matches": ["abort()"]},
        {"text": "threading::Tim", "matches": ["Timer"]},
        {"text": "let n = 1; n.leading_z", "matches": ["leading_zeros()"]},
    ]
    complete_code_samples = ["1 + 1", "let x = 1;", "fn f() {\n    g();\n}", "// a comment", ":vars", ""]
    incomplete_code_samples = ["fn f() {", "let x =", "f(1,", 'println!("', "/* a comment"]
    invalid_code_samples = ["let = 1;", "fn f() }", "(1]"]
    code_page_something = "?Vec"
    code_generate_error = 'panic!("no");'
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": '"hello"', "result": '"hello"'},
        {"code": 'Html::from("<b>x</b>")', "mime": "text/html", "result": "<b>x</b>"},
    ]
    code_display_data = [
        {"code": 'display(&Html::from("<b>x</b>"));', "mime": "text/html"},
        {"code": 'display(&Markdown::from("*x*"));', "mime": "text/markdown"},
        {"code": 'display(&Latex::from("$x$"));', "mime": "text/latex"},
        {"code": 'display(&Svg::from("<svg/>"));', "mime": "image/svg+xml"},
        {"code": PNG, "mime": "image/png"},
    ]
    code_history_pattern = "6 ?*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "std::thread::sleep"
    code_clear_output = "clear_output(false);"

    @classmethod
    def setUpClass(cls):
        """Warms the kernel: the suite's patience is made for cells that need no compiler."""
        super().setUpClass()
        cls.kc.execute_interactive("()", timeout=240)


class TestWelcome(suite.IopubWelcomeTests):
    """A subscriber hears that it is subscribed."""

    kernel_name = "interleave"
    support_iopub_welcome = True
