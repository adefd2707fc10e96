//! Shows values of any type, where that is possible without asking more of the type.

use std::{any::TypeId, fmt, marker::PhantomData, mem};

/// Shows a value of one of the simple types as its `Debug` does, and any other as nothing.
///
/// A generator yields values of whatever type. To ask that the type be shown would make the
/// student's own functions ask it, too.
pub(crate) struct Shown<'a, T>(pub(crate) Option<&'a T>);

impl<T> fmt::Display for Shown<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        macro_rules! show {
            ($($type:ty)*) => { $(
                if let Some(value) = self.0.and_then(cast::<T, $type>) {
                    return write!(f, "{value:?}");
                }
            )* };
        }
        show!(&str String char bool i32 i64 u64 usize f64 u8 i8 u16 i16 u32 u128 i128 isize f32);
        Ok(())
    }
}

/// The value, if it is of the type `U`, whose lifetimes make no difference to who only reads it now.
fn cast<T, U>(value: &T) -> Option<&U> {
    // SAFETY: the types are the same but for lifetimes, which nobody can see while it is running;
    // what is shown lives for as long as `value` is borrowed.
    (type_of::<T>() == type_of::<U>()).then(|| unsafe { &*std::ptr::from_ref(value).cast::<U>() })
}

/// As [`TypeId::of`], for types that borrow as well: all lifetimes count as the same.
fn type_of<T>() -> TypeId {
    trait Tell {
        fn tell(&self) -> TypeId
        where
            Self: 'static;
    }
    impl<T> Tell for PhantomData<T> {
        fn tell(&self) -> TypeId
        where
            Self: 'static,
        {
            TypeId::of::<T>()
        }
    }
    let of_type: &dyn Tell = &PhantomData::<T>;
    // SAFETY: only the bound of the function changes, which asks for `'static` without making use of
    // it: a `PhantomData` borrows nothing.
    let of_type = unsafe { mem::transmute::<&dyn Tell, &(dyn Tell + 'static)>(of_type) };
    of_type.tell()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown<T>(value: T) -> String {
        Shown(Some(&value)).to_string()
    }

    #[test]
    fn simple_values_are_shown_and_others_are_not() {
        let local = String::from("borrowed");
        assert_eq!(shown(local.as_str()), r#""borrowed""#);
        assert_eq!(shown(local.clone()), r#""borrowed""#);
        assert_eq!(
            (shown(-7), shown(2.5), shown('x')),
            ("-7".into(), "2.5".into(), "'x'".into())
        );
        assert_eq!(shown(()), "");
        assert_eq!(shown(vec![1]), "");
        assert_eq!(shown(Some(&local)), "");
        assert_eq!(Shown::<i32>(None).to_string(), "");
    }
}
