//! The one setting of LAME that its Rust crate cannot make safely.
#![allow(unsafe_code)] // One call, below.

use mp3lame_encoder::Builder;

/// Makes every MP3 frame stand on its own: no bits borrowed from the frames before it. That takes
/// 36 ms off the delay, and lets a listener begin at any frame.
pub(crate) fn disable_bit_reservoir(builder: &mut Builder) {
    // SAFETY: the pointer is the builder's own, initialised by lame_init, and alive; the call stores
    // one flag in it, which is allowed at any time before lame_init_params, that is before `build`.
    unsafe {
        mp3lame_sys::lame_set_disable_reservoir(builder.as_ptr(), 1);
    }
}
