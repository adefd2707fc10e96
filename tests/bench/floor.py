"""The limit of a compiled cell: rustc alone, on a cell of one statement."""

import os
import statistics
import subprocess
import tempfile
import time

SOURCE = """
#[unsafe(no_mangle)]
pub extern "C" fn cell() { let shared = std::sync::Arc::new(std::sync::Mutex::new(0)); drop(shared); }
"""
FRONT_END, WITH_LINK = "rustc's front end", "rustc with code generation and one link"


def measure(times=9):
    """Seconds, by name."""
    rustc = subprocess.run(["rustc", "--print=sysroot"], capture_output=True, text=True, check=True).stdout.strip()
    rustc = os.path.join(rustc, "bin/rustc")
    with tempfile.TemporaryDirectory() as directory:
        source = os.path.join(directory, "cell.rs")
        with open(source, "w", encoding="utf-8") as file:
            file.write(SOURCE)

        def seconds(*options):
            start = time.perf_counter()
            command = [rustc, "--edition=2024", "-Cprefer-dynamic", "--out-dir", directory, *options, source]
            subprocess.run(command, check=True)
            return time.perf_counter() - start

        of_front_end = [seconds("--crate-type=lib", "--emit=metadata") for _ in range(times)]
        of_all = [seconds("--crate-type=cdylib") for _ in range(times)]
    return {FRONT_END: statistics.median(of_front_end), WITH_LINK: statistics.median(of_all)}
