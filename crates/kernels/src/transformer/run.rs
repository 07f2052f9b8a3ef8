//! The forward pass. Each member of a team runs it; the steps are divided by panels of outputs, by heads and texts, or by
//! rows, and a barrier stands between a step and the one that reads its result.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::buffers::{BLOCK, Buffers, Matrix, Text};
use super::{Layer, Transformer, Workspace};
use crate::attention::{self, Head};
use crate::linear::Finish;
use crate::rows::{LayerNorm, normalise};
use crate::team::{Member, Team};

/// What a visitor sees of a batch after a layer.
#[derive(Debug)]
pub struct Visit<'a> {
    /// Layers so far; 0 is the embeddings.
    pub depth: usize,
    /// Rows of all texts that are not done, `[tokens, dim]`.
    pub hidden: &'a [f32],
    pub texts: &'a mut [Text],
}

/// How far and how to run.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// Depths at which the visitor is called, ascending.
    pub stops: &'a [usize],
    /// The last layer computes only the first token of each text. A visitor at that depth sees one row a text.
    pub first_token_only: bool,
    /// Threads that work on this batch together, those of rayon's pool.
    pub threads: usize,
}

/// What the members of a team share during one call.
struct Call<'a, V> {
    transformer: &'a Transformer,
    plan: Plan<'a>,
    buffers: Buffers<'a>,
    visitor: crate::shared::SharedMut<'a, V>,
}

impl Transformer {
    /// Runs the batch that [`Workspace::start`] prepared, up to the last stop or until every text is done.
    ///
    /// The same rows give the same bits, alone or among others, on one thread or several.
    pub fn run<V: FnMut(Visit<'_>) + Send>(&self, workspace: &mut Workspace, plan: Plan<'_>, visitor: V) {
        let size = plan.threads.clamp(1, rayon::current_num_threads());
        let (team, live, mut visitor) = (Team::new(size), AtomicUsize::new(0), [visitor]);
        let call = Call {
            transformer: self,
            plan,
            buffers: workspace.buffers(self, size, &live),
            visitor: crate::shared::SharedMut::new(&mut visitor),
        };
        if size == 1 {
            call.run(&team.member(0));
        } else {
            rayon::broadcast(|context| {
                if context.index() < size {
                    call.run(&team.member(context.index()));
                }
            });
        }
    }
}

impl<V: FnMut(Visit<'_>) + Send> Call<'_, V> {
    fn run(&self, member: &Member<'_>) {
        let layers = &self.transformer.layers;
        let last = self.plan.stops.last().copied().unwrap_or(0).min(layers.len());
        self.visit(member, 0);
        for (depth, layer) in layers.iter().enumerate().take(last) {
            if self.tokens() == 0 {
                return;
            }
            self.encode(member, depth);
            self.attend(member, layer, depth);
            self.feed_forward(member, layer);
            self.visit(member, depth + 1);
        }
    }

    /// Texts that are not done.
    fn texts(&self) -> &[Text] {
        let live = self.buffers.live.load(Ordering::Relaxed);
        // SAFETY: only `visit` and `keep_first_tokens` write texts, between two barriers of their own.
        unsafe { self.buffers.texts.slice(0..live) }
    }

    fn tokens(&self) -> usize {
        self.texts().last().map_or(0, |text| text.tokens.end)
    }

    /// The hidden rows in the number format of the products.
    fn encode(&self, member: &Member<'_>, depth: usize) {
        // After a layer its rows were encoded with its normalisation, unless a visitor may have taken rows out since.
        if depth == 0 || self.plan.stops.contains(&depth) {
            self.encode_rows(member, &self.buffers.hidden);
        }
    }

    fn encode_rows(&self, member: &Member<'_>, matrix: &Matrix<'_>) {
        for row in member.part(self.tokens()) {
            // SAFETY: the row is this member's until the barrier.
            unsafe { self.buffers.encoded.write(self.transformer.isa, row, matrix.row_mut(row)) };
        }
        member.barrier();
    }

    fn attend(&self, member: &Member<'_>, layer: &Layer, depth: usize) {
        let Buffers { hidden, projected, context, attended, encoded, .. } = self.buffers;
        let tokens = self.tokens();
        // SAFETY: nobody writes the input; the panels are this member's.
        unsafe {
            let input = encoded.input(&hidden, 0, tokens);
            layer.qkv.run(input, tokens, member.part(layer.qkv.panels()), Finish::Bias, projected.output());
        }
        member.barrier();
        let first_only = self.plan.first_token_only && depth + 1 == self.transformer.layers.len();
        self.attend_heads(member, first_only);
        member.barrier();
        if first_only {
            self.keep_first_tokens(member);
        }
        self.encode_rows(member, &context);
        let tokens = self.tokens();
        // SAFETY: nobody writes the input or the hidden rows; the panels are this member's.
        unsafe {
            let (input, residual) = (encoded.input(&context, 0, tokens), Finish::Add(hidden.read(tokens)));
            layer.out.run(input, tokens, member.part(layer.out.panels()), residual, attended.output());
        }
        member.barrier();
        self.normalise(member, &layer.attention_norm, &attended);
    }

    fn attend_heads(&self, member: &Member<'_>, first_only: bool) {
        let Buffers { projected, context, scratch, .. } = self.buffers;
        let dimensions = &self.transformer.dimensions;
        let (heads, width) = (dimensions.heads, dimensions.dim / dimensions.heads);
        let texts = self.texts();
        // SAFETY: nobody writes the projections. The scratch with this member's rank is this member's.
        let (values, scratch) =
            unsafe { (projected.read(self.tokens()), scratch.slice_mut(member.rank()..member.rank() + 1)) };
        for pair in member.part(texts.len() * heads) {
            let (text, head) = (&texts[pair / heads].tokens, pair % heads);
            let queries = if first_only { text.len().min(1) } else { text.len() };
            let head = Head {
                projected: values,
                stride: projected.stride,
                column: head * 3 * width,
                width,
                text: text.clone(),
                queries,
                output: context.output(),
                output_column: head * width,
            };
            // SAFETY: the head's columns of this text are this member's; the transformer was made for this processor.
            unsafe { attention::attend(self.transformer.isa, &head, &mut scratch[0]) };
        }
    }

    fn feed_forward(&self, member: &Member<'_>, layer: &Layer) {
        let Buffers { hidden, attended, inner, encoded, inner_encoded, .. } = self.buffers;
        let activation = Finish::Activate(self.transformer.dimensions.activation);
        let tokens = self.tokens();
        for first in (0..tokens).step_by(BLOCK) {
            let count = BLOCK.min(tokens - first);
            // SAFETY: nobody writes the input; the panels are this member's.
            unsafe {
                let input = encoded.input(&attended, first, count);
                layer.up.run(input, count, member.part(layer.up.panels()), activation, inner.output());
            }
            member.barrier();
            for row in member.part(count) {
                // SAFETY: the row is this member's until the barrier.
                unsafe { inner_encoded.write(self.transformer.isa, row, inner.row_mut(row)) };
            }
            member.barrier();
            // SAFETY: nobody writes the inputs; the panels are this member's.
            unsafe {
                let residual = Finish::Add(&attended.read(tokens)[first * attended.stride..]);
                let (input, output) = (inner_encoded.input(&inner, 0, count), hidden.output_from(first));
                layer.down.run(input, count, member.part(layer.down.panels()), residual, output);
            }
            member.barrier();
        }
        self.normalise(member, &layer.output_norm, &hidden);
    }

    /// LayerNorm of each row, which is then encoded for the next product.
    fn normalise(&self, member: &Member<'_>, norm: &LayerNorm, matrix: &Matrix<'_>) {
        let isa = self.transformer.isa;
        for row in member.part(self.tokens()) {
            // SAFETY: the row is this member's until the barrier.
            unsafe {
                let values = matrix.row_mut(row);
                normalise(isa, norm, values);
                self.buffers.encoded.write(isa, row, values);
            }
        }
        member.barrier();
    }

    /// Shows the rows to the visitor if this depth is a stop, then takes out the texts that are done.
    fn visit(&self, member: &Member<'_>, depth: usize) {
        if !self.plan.stops.contains(&depth) {
            return;
        }
        if member.is_first() {
            let Buffers { hidden, texts, live, .. } = self.buffers;
            let tokens = self.tokens();
            // SAFETY: between the barriers before and after, only the first member touches the buffers.
            unsafe {
                let texts = texts.slice_mut(0..live.load(Ordering::Relaxed));
                let visitor = &mut self.visitor.slice_mut(0..1)[0];
                visitor(Visit { depth, hidden: hidden.read(tokens), texts });
            }
            self.take_out_done();
        }
        member.barrier();
    }

    /// Moves the rows of the remaining texts together.
    fn take_out_done(&self) {
        let Buffers { hidden, texts, live, .. } = self.buffers;
        let count = live.load(Ordering::Relaxed);
        // SAFETY: as in `visit`.
        let (texts, rows) =
            unsafe { (texts.slice_mut(0..count), hidden.values.slice_mut(0..self.tokens() * hidden.stride)) };
        let (mut kept, mut end) = (0, 0);
        for index in 0..count {
            let tokens = texts[index].tokens.clone();
            if texts[index].done {
                continue;
            }
            rows.copy_within(tokens.start * hidden.stride..tokens.end * hidden.stride, end * hidden.stride);
            texts.swap(kept, index);
            texts[kept].tokens = end..end + tokens.len();
            end += tokens.len();
            kept += 1;
        }
        live.store(kept, Ordering::Relaxed);
    }

    /// Leaves one row a text: what attention made of its first token, and the row that is added to it.
    fn keep_first_tokens(&self, member: &Member<'_>) {
        if member.is_first() {
            let Buffers { hidden, context, texts, live, .. } = self.buffers;
            // SAFETY: between the barriers before and after, only the first member touches the buffers.
            unsafe {
                let texts = texts.slice_mut(0..live.load(Ordering::Relaxed));
                for (index, text) in texts.iter_mut().enumerate() {
                    for matrix in [&hidden, &context] {
                        let end = text.tokens.start + 1;
                        let rows = matrix.values.slice_mut(0..end * matrix.stride);
                        rows.copy_within(text.tokens.start * matrix.stride.., index * matrix.stride);
                    }
                    text.tokens = index..index + 1;
                }
            }
        }
        member.barrier();
    }
}
