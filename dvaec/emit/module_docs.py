"""What the emitted module says of its entry points and of what they return."""

from __future__ import annotations

ENTRY_DOCS = {
    "elbo": ("The evidence lower bound of every sequence and its parts, one draw of the latents:", "L = "),
    "encode": ("Draw the latents from q and return q's parameters.", ""),
    "score": ("Every conditional's parameters and log-density at given values.", ""),
    "reconstruct": ("Draw the latents from q and return the mean of p at the data (teacher forcing).", ""),
    "generate": (
        "Draw a sequence from p. Each drawn x_t is fed back; with sample=False the conditional's mean is.",
        "",
    ),
    "forecast": (
        "Infer the latents of a context, go on from p for `steps` frames. Inputs, noise: of all frames.",
        "",
    ),
    "elbo_fed": ("The bound in generation mode (4.4): p reads its own outputs in the place of the data.", ""),
    "begin": ("The state of `batch` streams before their first frame.", ""),
    "step": ("Observe one frame of each stream: draw the latents from q; return the state behind it.", ""),
    "finish": (
        "Draw the next frame that q has not drawn yet; no frame comes behind the last one observed.",
        "",
    ),
    "imagine": ("Draw one frame of each stream from p; return the state behind it.", ""),
}

EXPLAINED = {
    "elbo_fed": (
        "At frames that are `fed` (batch, time), at all without it, an output stands for what was observed:",
        "the mean of its conditional, or with sample=True a draw. q reads the data at every frame, and the",
        "data are what is scored. Gradients pass through what is fed. With fed=zeros this is `elbo`.",
    )
}
"""What the text of an entry point goes on to say."""

RECORD_DOCS = {
    "elbo": "The evidence lower bound and its parts.",
    "encode": "Latents drawn from q, and q's parameters.",
    "score": "All conditionals at given values.",
    "reconstruct": "What p makes of latents drawn from q.",
    "generate": "A sequence drawn from p.",
    "forecast": "A context and its continuation by p.",
    "elbo_fed": "The bound, its parts, and p's outputs where these are fed back.",
    "begin": "What a stream carries from one frame to the next.",
    "step": "One observed frame: latents drawn from q, and the parameters of every conditional.",
    "imagine": "One frame drawn from p.",
}
