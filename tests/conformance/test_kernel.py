"""The suite that the Jupyter project has for kernels, with nothing left out."""

import jupyter_kernel_test as suite
from kernel_client import TIMEOUT

# Of a reply, in seconds. The suite's own is made for machines that do nothing else.
suite.TIMEOUT = TIMEOUT
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

    def flush_channels(self):
        """Reads what is left until the kernel has nothing more to say. The suite waits for a tenth of a second."""
        request = self.kc.kernel_info()
        while self.kc.get_shell_msg(timeout=TIMEOUT)["parent_header"]["msg_id"] != request:
            pass
        while not is_idle(self.kc.get_iopub_msg(timeout=TIMEOUT), request):
            pass

    def execute_helper(self, *arguments, **options):
        """Waits for each output: between the reply and `idle` the suite gives a tenth of a second."""
        channel = self.kc.iopub_channel
        get = channel.get_msg
        channel.get_msg = lambda timeout: get(timeout=TIMEOUT)
        try:
            return super().execute_helper(*arguments, **{"timeout": TIMEOUT, **options})
        finally:
            del channel.get_msg


def is_idle(message, request):
    is_status = message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"
    return is_status and message["parent_header"]["msg_id"] == request


class TestWelcome(suite.IopubWelcomeTests):
    """A subscriber hears that it is subscribed."""

    kernel_name = "interleave"
    support_iopub_welcome = True
