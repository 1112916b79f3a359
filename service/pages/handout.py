"""What a patient is given to take home: plain words, each line as a recommendation carries it.

Nothing here names a dose or promises a result. A line is left out where its recommendation would
not apply to the patient: on another pathway, in another phase, or silenced by what is on record.
"""

from __future__ import annotations

from dataclasses import dataclass

from cards.advise import Advice
from cards.answer import Answer
from cards.criteria import Ask
from cards.library import Library
from cards.pathway import RED_FLAG_STATE
from cards.recommendation import Recommendation

# What the visit is for changes nothing about what is true for the back.
OF_THE_VISIT = frozenset({"visit_unrelated_to_back"})
PHASES = {
    "acute": "new (less than four weeks)",
    "subacute": "some weeks old (four to twelve weeks)",
    "chronic": "long-lasting (more than twelve weeks)",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence or two, and the recommendations that carry them."""

    text: str
    carried_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Handout:
    """What one patient is given.

    Attributes:
        pathways: titles of the pathways the patient is on.
        duration: how long the pain has lasted; empty when not known.
        outlook, helps, does_not_help: what applies; all empty where the usual advice does not fit.
        at_once, soon: when to ask for help; always told.
    """

    pathways: tuple[str, ...]
    duration: str
    outlook: tuple[str, ...]
    helps: tuple[str, ...]
    does_not_help: tuple[str, ...]
    at_once: tuple[str, ...]
    soon: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether the usual advice on back pain fits this patient."""
        return bool(self.helps)


OUTLOOK = (
    Line(
        "Most new back pain settles within about six weeks. It often comes back later. Up to one "
        "in three people still have some pain after a year.",
        ("prognosis-reassurance-acute",),
    ),
    Line(
        "A flare-up does not mean that your treatment has failed.",
        ("prognosis-reassurance-acute",),
    ),
    Line(
        "Treatment can ease the pain a little or somewhat, mostly for a while. Daily tasks often "
        "get easier more slowly than the pain gets less.",
        ("realistic-expectations",),
    ),
    Line(
        "It takes steady effort, and it is not a cure. Starting early works better than starting "
        "late.",
        ("realistic-expectations",),
    ),
    Line(
        "How strong the pain is does not show how serious the cause is.",
        ("red-flag-assessment-prompt",),
    ),
)
HELPS = (
    Line(
        "Stay active. Keep up your usual day as far as the pain lets you. It is fine to avoid a "
        "posture that hurts for a short time.",
        ("stay-active-advice",),
    ),
    Line(
        "Exercise that someone trained plans with you: it stretches and builds up the sore "
        "muscles, step by step. The kinds work about as well as each other, so pick one that you "
        "will keep doing.",
        ("exercise-therapy-first-line",),
    ),
    Line(
        "A warm wrap or pad can ease the pain for a short time. Do not put heat on numb skin, or "
        "on top of a covered pain gel or patch.",
        ("superficial-heat",),
    ),
    Line(
        "Pace yourself: spread tasks over the day. You can massage sore spots yourself.",
        ("self-care-education",),
    ),
    Line(
        "Massage can help for a short time. Use it together with exercise.",
        ("massage-therapy",),
    ),
    Line("Yoga may ease the pain and help you move.", ("yoga",)),
    Line("Tai chi may ease the pain.", ("tai-chi",)),
    Line(
        "A talking therapy that helps you cope with pain (CBT) can help a little or somewhat.",
        ("cbt",),
    ),
    Line(
        "If you also take a medicine, go on with the care beside it that helps you.",
        ("continue-nonpharm-with-drugs",),
    ),
)
DOES_NOT_HELP = (
    Line("Bed rest. It makes muscles weak and slows you down.", ("bed-rest-avoid",)),
    Line(
        "A scan or X-ray when there is no warning sign, and no plan for a shot or surgery. What it "
        "shows is often not the cause, and it does not change how things go.",
        ("imaging-routine-avoid",),
    ),
    Line("Belts and corsets for the low back.", ("lumbar-support-avoid",)),
    Line("Traction (pulling on the spine).", ("traction-avoid",)),
    Line("Ultrasound as a treatment.", ("therapeutic-ultrasound-avoid",)),
    Line("Electric pads (TENS) for long-lasting back pain.", ("tens-chronic-avoid",)),
    Line(
        "Only being treated by others, without moving yourself.",
        ("passive-modality-overreliance",),
    ),
)
AT_ONCE = (
    Line(
        "You have new trouble passing urine, or you lose control of your bladder or bowel.",
        ("rf-cauda-equina",),
    ),
    Line(
        "You are numb around your bottom, your genitals or between your legs.", ("rf-cauda-equina",)
    ),
    Line("A leg is newly weak or getting weaker.", ("rf-progressive-neurologic-deficit",)),
    Line(
        "You have a fever with your back pain, and your body fights germs poorly or you inject "
        "drugs.",
        ("rf-suspected-infection",),
    ),
)
SOON = (
    Line("You have a fever with your back pain.", ("rf-suspected-infection",)),
    Line(
        "The pain is new, and your body fights germs poorly or you inject drugs.",
        ("rf-suspected-infection",),
    ),
    Line(
        "The pain began or got worse after a fall, a crash or another injury.",
        ("rf-significant-trauma", "rf-fracture-risk"),
    ),
    Line(
        "You have weak bones or have taken steroids for a long time, and the pain is new.",
        ("rf-fracture-risk",),
    ),
    Line(
        "You have had cancer, and the pain is new or worse.",
        ("rf-malignancy-history-of-cancer",),
    ),
    Line(
        "You are losing weight and do not know why.",
        ("rf-malignancy-unexplained-weight-loss",),
    ),
)


def handout(advice: Advice, library: Library) -> Handout:
    """What this patient is given; nothing soothing while a red flag may have gone unread (H-02)."""
    whole = advice.ask("red_flag_data_incomplete").answer is Answer.NO and not advice.errors
    on = frozenset(place.pathway for place in advice.places)
    flagged = any(place.state == RED_FLAG_STATE for place in advice.places)

    def told(lines: tuple[Line, ...]) -> tuple[str, ...]:
        return tuple(line.text for line in lines if whole and not flagged and _fits(line))

    def _fits(line: Line) -> bool:
        carriers = (library.recommendations[name] for name in line.carried_by)
        return any(_applies(carrier, on, advice.phase, advice.ask) for carrier in carriers)

    helps = told(HELPS[:-1])
    return Handout(
        tuple(_plan(one.title, advice.phase) for one in library.pathways if one.id in on),
        PHASES.get(advice.phase, "") if on else "",
        told(OUTLOOK) if helps else (),
        helps + told(HELPS[-1:]) if helps else (),
        told(DOES_NOT_HELP) if helps else (),
        tuple(line.text for line in AT_ONCE),
        tuple(line.text for line in SOON),
    )


def _plan(title: str, phase: str) -> str:
    """What the plan is called to a patient: pain that began lately is not called chronic."""
    bare = title if phase == "chronic" else title.removeprefix("Chronic ")
    return bare[:1].upper() + bare[1:]


def _applies(
    recommendation: Recommendation, pathways: frozenset[str], phase: str, ask: Ask
) -> bool:
    if pathways.isdisjoint(recommendation.pathways):
        return False
    if not {"any", phase} & set(recommendation.in_words.phases):
        return False
    silencing = (name for name in recommendation.exclusions if name not in OF_THE_VISIT)
    return not any(ask(name).answer is Answer.YES for name in silencing)
