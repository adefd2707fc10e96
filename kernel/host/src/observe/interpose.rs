//! Functions that stand before those of libc and know who called them.

/// Defines the function `$name` of libc's name. It makes a frame of its own, calls `$inner` with the
/// same arguments and that frame behind them, and returns what `$inner` returns.
///
/// In assembly, because only there it is certain that the frame pointer is still the caller's, however
/// this program was compiled. The registers are those of the first argument behind the function's own.
macro_rules! interpose {
    ($name:ident, $inner:path, x86_64: $x86:literal, aarch64: $arm:literal) => {
        /// Stands before libc's function of this name; what it does is in the function that it calls.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        unsafe extern "C-unwind" fn $name() {
            #[cfg(target_arch = "x86_64")]
            core::arch::naked_asm!(
                ".cfi_startproc",
                "push rbp",
                ".cfi_def_cfa_offset 16",
                ".cfi_offset rbp, -16",
                "mov rbp, rsp",
                ".cfi_def_cfa_register rbp",
                concat!("mov ", $x86, ", rbp"),
                "call {inner}",
                "pop rbp",
                ".cfi_def_cfa rsp, 8",
                "ret",
                ".cfi_endproc",
                inner = sym $inner,
            );
            #[cfg(target_arch = "aarch64")]
            core::arch::naked_asm!(
                ".cfi_startproc",
                "stp x29, x30, [sp, #-16]!",
                ".cfi_def_cfa_offset 16",
                ".cfi_offset x30, -8",
                ".cfi_offset x29, -16",
                "mov x29, sp",
                concat!("mov ", $arm, ", sp"),
                "bl {inner}",
                "ldp x29, x30, [sp], #16",
                ".cfi_def_cfa_offset 0",
                "ret",
                ".cfi_endproc",
                inner = sym $inner,
            );
        }
    };
}

pub(crate) use interpose;
