"""A step of Adam with L2 in the gradient, and one of AdamW: what is tested, and what goes wrong.

Found in published code: a decay that the learning rate does not multiply (reviews of PyTorch's pull
requests 3740 and 4429, TensorFlow Addons' issue 2282), one with the wrong sign (egg-west's
AdamW-pytorch, issue 1), one added to the gradient under AdamW's name, and one on the new weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._findings import BrokenCall, Finding, Mistake
from reglib.exercises._penalty_mistakes import HALF_IN_GRADIENT, NO_PENALTY, PUSHED_AWAY, UPHILL
from reglib.exercises._student_function import Student
from reglib.exercises._task import Aspect, Task
from reglib.textbook import weight_decay as reference

_SHAPES = ((5,), (3, 2), (2, 2, 3), (4, 1))


def _cases(*steps: int, penalized: bool) -> Callable[[np.random.Generator], Iterator[Case]]:
    """Return what yields a case for each number of a step; 0 is one of tiny numbers, by default."""

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        for t, shape in zip(steps, _SHAPES, strict=False):
            lr, lam = float(rng.uniform(0.1, 0.4)), float(rng.uniform(0.5, 2)) * penalized
            w, grad, m = rng.choice([-1.0, 1.0], (3, *shape)) * rng.uniform(0.5, 2, (3, *shape))
            v, text = rng.uniform(0.5, 2, shape), f"w of shape {shape}, lr = {lr:.3g}"
            if t:
                beta1, beta2 = float(rng.uniform(0.6, 0.8)), float(rng.uniform(0.85, 0.95))
                eps = float(rng.uniform(0.2, 0.6))
                text += f", t = {t}, lam = {lam:.3g}, betas {beta1:.3g} and {beta2:.3g}"
                m, v = (m, v) if t > 1 else (0 * m, 0 * v)
                more: tuple[float, ...] = (t, lr, lam, beta1, beta2, eps)
            else:
                grad, m, v = 1e-8 * grad, 1e-8 * m, 1e-16 * v
                more = (9, lr, lam)
                text += f", t = 9, lam = {lam:.3g}, the defaults, and gradients of about 1e-8"
            quantities = {"lr": lr, "lam": lam} if penalized else {"lr": lr}
            yield Case((w, grad, m, v, *more), text, quantities)

    return cases


def _three(student: Student, w: NDArray, *more: Any) -> list[NDArray]:
    """Return the three arrays that a step gives back."""
    found = student(w, *more)
    if not isinstance(found, (tuple, list)) or len(found) != 3:
        student.numbers(found, "the result", (3, *w.shape))
        raise BrokenCall(Finding(f"{student.name} returned no three arrays", "w, m and v"))
    parts = zip(found, ("the new w", "the new m", "the new v"), strict=True)
    return [student.numbers(value, what, w.shape) for value, what in parts]


def _weights(student: Student, *arguments: Any) -> NDArray:
    return _three(student, *arguments)[0]


def _moments(student: Student, *arguments: Any) -> NDArray:
    return np.stack(_three(student, *arguments)[1:])


def _aspects(moments: str, last: Aspect) -> tuple[Aspect, ...]:
    """Return what both steps promise, and the last thing, in which they differ."""
    return (
        Aspect(
            "moments",
            moments,
            Comparison(_cases(1, 2, 7, penalized=True), "m and v", call=_moments),
        ),
        Aspect(
            "step",
            "with lam = 0 the weights take a step of Adam, its bias corrected",
            Comparison(_cases(2, 30, 0, 5, penalized=False), "the new weights", call=_weights),
        ),
        last,
    )


_M, _V = "m = beta1 * m + (1 - beta1) * grad", "v = beta2 * v + (1 - beta2) * grad**2"
_M_HAT, _V_HAT = "m / (1 - beta1**t)", "v / (1 - beta2**t)"
_ROOT = "(np.sqrt(v_hat) + eps)"
_BODY = f"""
{_M}
{_V}
m_hat = {_M_HAT}
v_hat = {_V_HAT}
step = m_hat / {_ROOT}
"""
_COUNT = "The first step has t = 1, and t comes as it is: the power is t itself."
ADAM_MISTAKES = (
    Mistake(
        "no bias correction",
        "m and v begin at 0 and are too small for a long time; v, the slower one, most of all.",
        "Which share of a running mean comes from the 0 that it began with, after t steps?",
    ).written(((_M_HAT, "m"), (_V_HAT, "v"))),
    Mistake(
        "bias correction for one of two",
        "Of m and v, only one is divided by its 1 - beta**t.",
        "Both begin at 0.",
    ).written((_M_HAT, "m"), (_V_HAT, "v")),
    Mistake("steps counted from 0", "The power is one too small.", _COUNT).written(
        (("beta1**t", "beta1**(t - 1)"), ("beta2**t", "beta2**(t - 1)"))
    ),
    Mistake("t counted up twice", "The power is one too large.", _COUNT).written(
        (("beta1**t", "beta1**(t + 1)"), ("beta2**t", "beta2**(t + 1)"))
    ),
    Mistake(
        "bias correction of the first step",
        "The divisors are 1 - beta, whatever the number of the step is.",
        "What is left of the 0 after t steps is beta to the power of t.",
    ).written((("beta1**t", "beta1"), ("beta2**t", "beta2"))),
    Mistake(
        "beta1 and beta2 exchanged",
        "m is kept for as long as v should be, and the other way round.",
        "beta1 belongs to the mean of the gradient, beta2 to that of its square.",
    ).written((("beta1", "beta_"), ("beta2", "beta1"), ("beta_", "beta2"))),
    Mistake(
        "1 - beta missing",
        "The running mean adds the whole gradient, or its whole square: it is a sum, not a mean.",
        "The two weights of a mean, of the old and of the new, add up to 1.",
    ).written(
        (("(1 - beta1) * ", ""), ("(1 - beta2) * ", "")),
        ("(1 - beta1) * ", ""),
        ("(1 - beta2) * ", ""),
    ),
    Mistake(
        "weights of old and new exchanged",
        "The newest gradient counts beta, and all that came before 1 - beta.",
        "Which of the two is to be kept for long?",
    ).written(
        (
            (_M, "m = (1 - beta1) * m + beta1 * grad"),
            (_V, "v = (1 - beta2) * v + beta2 * grad**2"),
        )
    ),
    Mistake(
        "no square in v",
        "v is a running mean of the gradient itself or of its size.",
        "By what is the step divided: what does the root undo?",
    ).written(
        ("grad**2", "np.abs(grad)"), ((_V, _V.replace("**2", "")), ("(v_hat)", "(abs(v_hat))"))
    ),
    Mistake(
        "square of the mean for mean of the squares",
        "v is fed with the square of m, not with that of the gradient.",
        "A gradient that only changes its sign has a mean near 0. How large is its square?",
    ).written(("grad**2", "m**2")),
    Mistake(
        "one v for all weights",
        "All weights are divided by the same number, so that the step is one of momentum.",
        "Each weight has a running mean of its own squares.",
    ).written(("grad**2", "np.mean(grad**2)"), ("grad**2", "np.sum(grad**2)")),
    Mistake(
        "largest v kept",
        "v may only grow here. That is AMSGrad; the task asks for Adam.",
        "Is v the maximum of what it was and what comes?",
    ).written((_V, f"v = np.maximum(v, {_V[4:]})")),
    Mistake(
        "eps inside the root",
        "The root of v + eps is not the root of v, plus eps: at v = 0 it is much larger than eps.",
        "What is the formula's value where v is 0?",
    ).written((_ROOT, "np.sqrt(v_hat + eps)")),
    Mistake(
        "eps added before the correction",
        "eps goes to the root of v itself, so the correction stretches it too. Some libraries do "
        "so and call it epsilon hat.",
        "In the formula, what stands under the root?",
    ).written(
        (("m_hat / ", "m_hat * np.sqrt(1 - beta2**t) / "), ("(np.sqrt(v_hat)", "(np.sqrt(v)"))
    ),
    Mistake(
        "eps forgotten",
        "Where all gradients are tiny, eps ought to keep the step small.",
        "What is added to the root?",
    ).written((_ROOT, "np.sqrt(v_hat)")),
    Mistake(
        "root forgotten",
        "The step is divided by a mean of squares, so small gradients make huge steps.",
        "Multiply all gradients by 10: a step of Adam should stay as it is.",
    ).written(("np.sqrt(v_hat)", "v_hat")),
    Mistake(
        "no momentum",
        "The step takes the newest gradient in the place of its running mean.",
        "What stands above the line?",
    ).written(("step = m_hat", "step = grad")),
    Mistake(
        "corrected means returned",
        "The next step needs m and v as they are: it corrects them itself, with its own t.",
        "Which m does the first line of the next step ask for?",
    ).written((", m, v", ", m_hat, v_hat")),
    Mistake(
        "m and v returned in the other order",
        "The new v comes where the new m is expected.",
        "Compare your return line with the task's.",
    ).written((", m, v", ", v, m")),
    Mistake(
        "old means used",
        "The step is made with the m and v that came in, before they know this gradient.",
        "In which order do the formulas stand?",
    ).written(
        (
            (
                _BODY.strip(),
                f"m_hat = {_M_HAT}\nv_hat = {_V_HAT}\nstep = m_hat / {_ROOT}\n{_M}\n{_V}",
            ),
        )
    ),
    Mistake(
        "step without the learning rate",
        "The whole direction is subtracted.",
        "What is the direction multiplied by?",
    ).written(("lr * ", "")),
    UPHILL.written(("w - lr", "w + lr")),
)

ADAM_L2_STEP = Task(
    "adam_l2_step(w, grad, m, v, t, lr, lam, beta1=0.9, beta2=0.999, eps=1e-8)",
    reference=reference.adam_l2_step,
    section="The same, and not the same",
    hints=(
        "Write Adam first, and let the lam = 0 test pass. Then ask what the gradient of the whole "
        "cost is.",
        "To Adam, a penalty in the loss is part of the gradient: add its derivative before "
        "anything else happens to the gradient.",
    ),
    model=f"grad = grad + lam * w\n{_BODY}\nreturn w - lr * step, m, v",
    aspects=_aspects(
        "m and v follow the gradient of loss and penalty together",
        Aspect(
            "penalty",
            "the penalty goes through all that Adam does to a gradient",
            Comparison(_cases(1, 2, 30, penalized=True), "the new weights", call=_weights),
        ),
    ),
    mistakes=(
        *ADAM_MISTAKES,
        NO_PENALTY.written(("grad = grad + lam * w", "pass")),
        HALF_IN_GRADIENT.written(("lam * w", "2 * lam * w"), ("lam * w", "lam / 2 * w")),
        PUSHED_AWAY.written(("+ lam * w", "- lam * w")),
        Mistake(
            "decay beside the gradient",
            "The decay acts on the weights and never meets m and v. That is AdamW, the next task.",
            "A penalty in the loss has a gradient: where does Adam see it?",
        ).written((("grad = grad + lam * w", "pass"), ("lr * step", "lr * (step + lam * w)"))),
        Mistake(
            "penalty in m alone",
            "v is fed with the gradient of the loss, without the penalty's.",
            "There is one gradient, that of the cost; both means follow it.",
        ).written(
            (("grad = grad + lam * w", "pass"), (_M, _M.replace("grad", "(grad + lam * w)")))
        ),
        Mistake(
            "learning rate counted twice",
            "The penalty's gradient is multiplied by lr before it enters m and v.",
            "lr is the length of the step; a gradient does not know it.",
        ).written(("lam * w", "lr * lam * w")),
        Mistake(
            "gradient of the value",
            "The penalty itself, a number, is added to the gradient, or lam alone.",
            "Differentiate lam / 2 times w squared with respect to w.",
        ).written(("lam * w", "lam / 2 * np.sum(w**2)"), ("lam * w", "lam")),
    ),
    right=(
        """
        g = grad + lam * w
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        return w - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v
        """,
        """
        g = lam * w
        g += grad
        m += (1 - beta1) * (g - m)
        v += (1 - beta2) * (g**2 - v)
        root = np.sqrt(1 - beta2**t)
        return w - lr * root / (1 - beta1**t) * m / (np.sqrt(v) + eps * root), m, v
        """,
        """
        g = np.add(grad, np.multiply(lam, w))
        m = np.average([m, g], axis=0, weights=[beta1, 1 - beta1])
        v = np.average([v, np.square(g)], axis=0, weights=[beta2, 1 - beta2])
        w = w - lr / (1 - beta1**t) * m / (v**0.5 / (1 - beta2**t) ** 0.5 + eps)
        return [w.tolist(), m.tolist(), v.tolist()]
        """,
        """
        def mean(old, new, beta):
            old = beta * old + (1 - beta) * new
            return old, old / (1 - beta**t)

        g = grad + w * lam
        m, first = mean(m, g, beta1)
        v, second = mean(v, g**2, beta2)
        return w - lr * first / (eps + np.sqrt(second)), m, v
        """,
        """
        new = [np.empty_like(w) for _ in range(3)]
        for i in np.ndindex(w.shape):
            g = grad[i] + lam * w[i]
            new[1][i] = beta1 * m[i] + (1 - beta1) * g
            new[2][i] = beta2 * v[i] + (1 - beta2) * g**2
            root = np.sqrt(new[2][i] / (1 - beta2**t))
            new[0][i] = w[i] - lr * new[1][i] / (1 - beta1**t) / (root + eps)
        return tuple(new)
        """,
    ),
)

_DECAYED = "lr * (step + lam * w)"
ADAMW_STEP = Task(
    "adamw_step(w, grad, m, v, t, lr, lam, beta1=0.9, beta2=0.999, eps=1e-8)",
    reference=reference.adamw_step,
    section="The same, and not the same",
    hints=(
        "Take your adam_l2_step and remove the penalty from the gradient. Where can it act "
        "without being divided by anything?",
        "With a gradient of 0, and m = v = 0, a step should multiply w by 1 - lr * lam.",
    ),
    model=f"{_BODY}\nreturn w - {_DECAYED}, m, v",
    aspects=_aspects(
        "m and v follow the gradient of the loss alone",
        Aspect(
            "decay",
            "each weight loses the share lr * lam of what it was, whatever its gradient is",
            Comparison(_cases(1, 2, 30, penalized=True), "the new weights", call=_weights),
        ),
    ),
    mistakes=(
        *ADAM_MISTAKES,
        Mistake(
            "decay folded into the gradient",
            "The penalty goes into m and v and is divided by the root of v: that is Adam with L2, "
            "whatever it is called.",
            "In AdamW neither m nor v knows lam.",
        ).written(
            ((_M, f"grad = grad + lam * w\n{_M}"), (_DECAYED, "lr * step")),
        ),
        Mistake(
            "decayed twice",
            "The decay is in the gradient and beside it.",
            "In AdamW neither m nor v knows lam.",
        ).written((_M, f"grad = grad + lam * w\n{_M}")),
        Mistake(
            "decay without the learning rate",
            "Each step takes away the share lam, not lr * lam.",
            "A schedule that stops the training should stop the decay, too.",
        ).written((_DECAYED, "lr * step - lam * w")),
        Mistake(
            "decay of the new weights",
            "The weights are moved first, and what comes out is decayed; the decay belongs to the "
            "weights that came in.",
            "Which w stands in the formula?",
        ).written((f"w - {_DECAYED}", "(w - lr * step) * (1 - lr * lam)")),
        Mistake(
            "decay divided by the root of v",
            "The decay is added to the corrected m, so weights with large gradients hardly decay.",
            "Decoupled means: the same share of every weight.",
        ).written((("step = m_hat", "step = (m_hat + lam * w)"), (_DECAYED, "lr * step"))),
        Mistake(
            "decay forgotten",
            "That is Adam; lam makes no difference.",
            "What does a weight lose whose gradient is 0?",
        ).written((_DECAYED, "lr * step")),
        Mistake(
            "weights grow",
            "The decay has the wrong sign: weights move away from 0.",
            "With a gradient of 0, |w| should fall.",
        ).written(("step + lam", "step - lam")),
        Mistake(
            "multiplied by lr * lam",
            "What is left is the share that ought to be taken away.",
            "With lam = 0, nothing should decay.",
        ).written((f"w - {_DECAYED}", "lr * lam * w - lr * step")),
        Mistake(
            "sign(w) for w",
            "Every weight loses the same amount, whatever its size is: that is L1's way.",
            "The decay is a share of the weight.",
        ).written(("lam * w", "lam * np.sign(w)")),
        Mistake(
            "1/2 or 2 in the decay",
            "The share that a weight loses is lr * lam; there is no square that could bring a 2.",
            "Compare the factor with the formula.",
        ).written(("lam * w", "2 * lam * w"), ("lam * w", "lam / 2 * w")),
    ),
    right=(
        """
        m, v = beta1 * m + (1 - beta1) * grad, beta2 * v + (1 - beta2) * grad * grad
        w = w * (1 - lr * lam)
        return w - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v
        """,
        """
        m += (1 - beta1) * (grad - m)
        v += (1 - beta2) * (grad**2 - v)
        w -= lr * lam * w
        root = np.sqrt(1 - beta2**t)
        w -= lr * root / (1 - beta1**t) * m / (np.sqrt(v) + eps * root)
        return w, m, v
        """,
        """
        stepped, m, v = adam_l2_step(w, grad, m, v, t, lr, 0, beta1, beta2, eps)
        return stepped - lr * lam * w, m, v
        """,
        """
        m = np.average([m, grad], axis=0, weights=[beta1, 1 - beta1])
        v = np.average([v, np.square(grad)], axis=0, weights=[beta2, 1 - beta2])
        decay = np.multiply(lr * lam, w)
        w = w - lr / (1 - beta1**t) * m / (v**0.5 / (1 - beta2**t) ** 0.5 + eps) - decay
        return [w.tolist(), m.tolist(), v.tolist()]
        """,
        """
        new = [np.empty_like(w) for _ in range(3)]
        for i in np.ndindex(w.shape):
            new[1][i] = beta1 * m[i] + (1 - beta1) * grad[i]
            new[2][i] = beta2 * v[i] + (1 - beta2) * grad[i] ** 2
            root = np.sqrt(new[2][i] / (1 - beta2**t))
            new[0][i] = w[i] - lr * (new[1][i] / (1 - beta1**t) / (root + eps) + lam * w[i])
        return tuple(new)
        """,
    ),
    given={"adam_l2_step": reference.adam_l2_step},
)
