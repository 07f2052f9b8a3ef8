//! Tests of `rising`: how often chance raises it, how soon trouble does, and when it is over.
