"""Arena-Hard: each answer against an anchor's, judged in both orders."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from crowdselect.benchmark.anchor import anchor_name
from crowdselect.benchmark.arena_scores import arena_hard_scores
from crowdselect.benchmark.base import Benchmark, Context, Item, Score
from crowdselect.benchmark.controlled import style_features
from crowdselect.benchmark.judges.pair_prompts import (
    PairPrompts,
    read_pair_prompts,
    system_file,
)
from crowdselect.benchmark.judges.prompts import Prompt
from crowdselect.benchmark.judges.texts import needed_judge, verdicts
from crowdselect.benchmark.judgments import (
    NO_ANSWER,
    Row,
    first_questions,
    given_protocol,
    judgments_of,
)
from crowdselect.benchmark.paired import PairedAnswers, paired_answers, paired_rewards
from crowdselect.benchmark.questions import (
    Question,
    judge_cost,
    question_file,
    questions_hash,
    read_questions,
)
from crowdselect.benchmark.sources import file_hash
from crowdselect.errors import CrowdSelectError
from crowdselect.hub import HUB
from crowdselect.lm.messages import Message
from crowdselect.registry import option
from crowdselect.servers import ChatReply, ChatRequest, Cost

if TYPE_CHECKING:
    from crowdselect.benchmark.config import BenchmarkConfig

OUTCOMES: Mapping[str, tuple[float, float]] = {
    "A>>B": (0.0, 3.0), "A>B": (0.0, 1.0), "A=B": (0.5, 1.0), "B>A": (1.0, 1.0), "B>>A": (1.0, 3.0),
    "B<<A": (0.0, 3.0), "B<A": (0.0, 1.0), "B=A": (0.5, 1.0), "A<B": (1.0, 1.0), "A<<B": (1.0, 3.0),
}  # fmt: skip
"""Verdict -> what B gets of the battle, and how often the battle counts; the ten that v2 accepts,
of which its prompt asks for the first five."""
VERDICT_TOKENS = 4096
_VERDICTS = (re.compile(r"\[\[([AB<>=]+)\]\]"), re.compile(r"\[([AB<>=]+)\]"))


def parse_verdict(text: str) -> str | None:
    """The last ``[[verdict]]``, else the last ``[verdict]``, letters in any case; None: none.

    As Arena-Hard v2 reads them; a label outside its ten verdicts (an error there) is None here.
    """
    for pattern in _VERDICTS:
        found = pattern.findall(text.upper())
        if found:
            return found[-1] if found[-1] in OUTCOMES else None
    return None


@dataclass(frozen=True)
class ArenaHard(Benchmark):
    """Win rate against an anchor model (Li et al. 2024, arXiv 2406.11939).

    Two games with swapped order per question; a clear win counts three times. A game without a
    verdict fails, and its question with it.
    """

    name: ClassVar[str] = "arena-hard"
    title: ClassVar[str] = "Arena-Hard"
    unit: ClassVar[str] = "win rate %"
    bounds: ClassVar[tuple[float, float]] = (0.0, 100.0)
    source: ClassVar[str] = "lmarena/arena-hard-auto"
    kind: ClassVar[Literal["judged"]] = "judged"
    judged: ClassVar[bool] = True

    questions: str = option(
        "", "Arena-Hard's question.jsonl; empty: our own questions", opens="file"
    )
    prompt: str = option(
        "", "YAML or JSON with the official judge prompt; empty: our own", opens="file"
    )
    system: str = option(
        "",
        "File of the judge's system prompts, such as arena-hard-auto's utils/judge_utils.py; "
        "empty: in the prompt's file, or that one beside it",
        opens="file",
    )
    anchor: str = option(
        "",
        "File of the anchor's answers, or the anchor model (folder or hub id)",
        opens="file or model",
    )
    max_new_tokens: int = option(4096, "Longest answer in tokens", low=1, high=32768)
    judgments: str = option(
        "", "File of judgments made elsewhere: nothing is answered or judged", opens="file"
    )
    judged_by: str = option("", "Whose judgments of that file count; empty: all")

    @property
    def needs_judge(self) -> bool:
        """Not where judgments are given."""
        return not self.judgments

    def protocol(self, context: Context) -> dict[str, Any]:
        """As every benchmark's; with the anchor."""
        if self.judgments:
            return given_protocol(
                type(self), context.limit, anchor=self.anchor, judge=self.judged_by
            )
        found = super().protocol(context)
        found["inputs"]["questions"] = questions_hash(self.questions, "hard.jsonl")
        found["inputs"].setdefault("prompt", "own prompt, not comparable")
        if read_pair_prompts(self.prompt, self.system).source:
            file = system_file(self.prompt, self.system)
            found["inputs"]["system"] = file_hash(file) if file else ""
        found["options"]["anchor"] = anchor_name(self.anchor, self.name)
        return found

    def conflicts(self, config: BenchmarkConfig) -> Iterator[CrowdSelectError]:
        """A judge that would not be told how to write a verdict."""
        if self.judgments or HUB in self.prompt + self.system:
            return  # not needed, or fetched when it is
        try:
            read_pair_prompts(self.prompt, self.system)
        except CrowdSelectError as error:
            yield error

    def judging(self, limit: int | None) -> Cost:
        """Two games per question, each with two answers."""
        questions = read_questions(question_file(self.questions, "hard.jsonl"))[:limit]
        game = 2 * self.max_new_tokens
        return judge_cost([(q.turns, game, VERDICT_TOKENS) for q in questions for _ in (1, 2)])

    def run(self, context: Context) -> Sequence[Item]:
        """Answer, then play two games per question."""
        if self.judgments:
            rows = judgments_of(
                self.name, self.judgments, context.subject.config.model, self.judged_by
            )
            return first_questions([i for row in rows for i in _given(row)], context.limit)
        questions = read_questions(question_file(self.questions, "hard.jsonl"))[: context.limit]
        if not (self.questions and self.prompt):
            context.note("arena-hard: own questions or own prompt, not comparable with published.")
        prompts = read_pair_prompts(self.prompt, self.system)
        prompts.check(q.category for q in questions)
        pairs = paired_answers(context, questions, self.anchor, self.max_new_tokens)
        if needed_judge(context).kind == "reward":
            games = _by_reward(context, pairs)
        else:
            games = _by_verdict(context, pairs, prompts)
        return [item for q in questions for item in _items(q, pairs, games.get(q.id, ()))]

    def scores(self, items: Sequence[Item], seed: int) -> list[Score]:
        """Win rate by question, with style taken out, by the official methods, and how often
        swapping changed it.
        """
        return arena_hard_scores(super().scores(items, seed), items, seed)


@dataclass(frozen=True)
class Game:
    """One game: what the model got of it, how often it counts; None: no verdict."""

    score: float | None
    weight: float
    reason: str
    retry: bool = False


def _by_verdict(
    context: Context, pairs: PairedAnswers, prompts: PairPrompts
) -> dict[str, list[Game]]:
    requests = [
        ChatRequest(
            f"{q.id}/{game}",
            _ask(prompts.of(q.category), q, pairs, game),
            max_tokens=VERDICT_TOKENS,
        )
        for q in pairs.fair
        for game in (1, 2)
    ]
    replies = verdicts(context, requests)
    return {q.id: [_game(replies[f"{q.id}/{g}"], g) for g in (1, 2)] for q in pairs.fair}


def _ask(
    prompt: Prompt, question: Question, pairs: PairedAnswers, game: int
) -> tuple[Message, ...]:
    """Game 1: A is the anchor, B the model; game 2: swapped."""
    first, second = pairs.anchor[question.id], pairs.model[question.id]
    if game == 2:
        first, second = second, first
    text = question.turns[0]
    return prompt.fill(
        {
            "question_1": text, "answer_1": first, "answer_2": second,
            "QUESTION": text, "ANSWER_A": first, "ANSWER_B": second,
        }
    )  # fmt: skip


def _game(reply: ChatReply, game: int) -> Game:
    if reply.problem:
        return Game(None, 1.0, f"the judge: {reply.problem}", retry=True)
    verdict = parse_verdict(reply.text)
    if verdict is None:
        return Game(None, 1.0, f"the judge gave no verdict: {reply.text[-200:]!r}")
    return played(verdict, game, reply.text)


def played(verdict: str, game: int, reason: str) -> Game:
    """What the model, which is B in game 1 and A in game 2, got by a known verdict."""
    score, weight = OUTCOMES[verdict]
    return Game(score if game == 1 else 1 - score, weight, reason)


def _given(row: Row) -> list[Item]:
    """The items of one row of arena-hard-auto; ``score`` is the verdict that was read there."""
    games = []
    for number, game in enumerate(row["games"] or [], start=1):
        verdict = (game or {}).get("score")
        said = (game or {}).get("judgment") or ""
        text = str(said.get("answer") if isinstance(said, dict) else said)
        if isinstance(verdict, str) and verdict in OUTCOMES:
            games.append(played(verdict, number, text))
        else:
            games.append(Game(None, 1.0, f"no verdict: {verdict!r}"))
    key = str(row.get("uid") or row.get("question_id"))
    prompt = next((str(g["prompt"][-1].get("content")) for g in row["games"] or []
                   if g and g.get("prompt")), "")  # fmt: skip
    shown = Item(key, str(row.get("category") or ""), None, prompt, NO_ANSWER)
    if len(games) < 2:
        return [replace(shown, reason=f"{len(games)} of 2 games", details={"score": None})]
    return _counted(shown, games, {})


def _by_reward(context: Context, pairs: PairedAnswers) -> dict[str, list[Game]]:
    """A reward model has no order: one game per question, won by the higher reward."""
    games = {}
    for key, (both, sentence) in paired_rewards(context, pairs).items():
        won = None if both is None else 0.5 if both[0] == both[1] else float(both[0] > both[1])
        games[key] = [Game(won, 1.0, sentence)]
    return games


def _items(question: Question, pairs: PairedAnswers, games: Sequence[Game]) -> list[Item]:
    """An item per game; where one game failed, the question's other game does not count either."""
    answer, problem = pairs.model[question.id], pairs.problems[question.id]
    shown = Item(question.id, question.category, None, question.turns[0], answer)
    if problem:
        return [replace(shown, reason=problem)]
    return _counted(shown, games, {"style": style_features(answer, pairs.anchor[question.id])})


def _counted(shown: Item, games: Sequence[Game], more: Mapping[str, Any]) -> list[Item]:
    whole = all(g.score is not None for g in games)
    items = []
    for number, game in enumerate(games, start=1):
        details = {"game": number, "score": game.score, "weight": game.weight, **more}
        if game.retry:
            details["retry"] = True
        value = 100 * game.score if whole and game.score is not None else None
        reason = game.reason if whole or game.score is None else "the other game failed"
        items.append(
            replace(shown, value=value, weight=game.weight, reason=reason, details=details)
        )
    return items
