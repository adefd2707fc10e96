//! Functions that stand before those of libc and know who called them.

/// How a function in assembly begins: it makes a frame, of which unwinding knows.
#[cfg(target_arch = "x86_64")]
macro_rules! enter {
    () => {
        ".cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov rbp, rsp
        .cfi_def_cfa_register rbp"
    };
}

/// How a function in assembly begins: it makes a frame, of which unwinding knows.
#[cfg(target_arch = "aarch64")]
macro_rules! enter {
    () => {
        ".cfi_startproc
        stp x29, x30, [sp, #-16]!
        .cfi_def_cfa_offset 16
        .cfi_offset x30, -8
        .cfi_offset x29, -16
        mov x29, sp"
    };
}

/// How it ends: what it has put on the stack since is gone.
#[cfg(target_arch = "x86_64")]
macro_rules! leave {
    () => {
        "leave
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc"
    };
}

/// How it ends. It must have put nothing on the stack since.
#[cfg(target_arch = "aarch64")]
macro_rules! leave {
    () => {
        "ldp x29, x30, [sp], #16
        .cfi_def_cfa_offset 0
        ret
        .cfi_endproc"
    };
}

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
                $crate::observe::enter!(),
                concat!("mov ", $x86, ", rbp"),
                "call {inner}",
                $crate::observe::leave!(),
                inner = sym $inner,
            );
            #[cfg(target_arch = "aarch64")]
            core::arch::naked_asm!(
                $crate::observe::enter!(),
                concat!("mov ", $arm, ", sp"),
                "bl {inner}",
                $crate::observe::leave!(),
                inner = sym $inner,
            );
        }
    };
}

pub(crate) use {enter, interpose, leave};
