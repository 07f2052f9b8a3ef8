//! What a followed file gives, poll by poll.
