"""The kinds of jobs there are."""

KINDS: dict[str, str] = {
    "landscape": "crowdselect.pipeline:run_landscape_job",
    "index": "crowdselect.store.index_job:run",
    "score": "crowdselect.pipeline.scoring:run_score_job",
    "generate": "crowdselect.pipeline.making:run_generate_job",
    "judge": "crowdselect.pipeline.making:run_judge_job",
    "finetune": "crowdselect.finetune.job:run",
    "benchmark": "crowdselect.benchmark.job:run",
    "study": "crowdselect.pipeline.study:run_study_job",
}
"""Job kind -> ``module:function`` taking a :class:`Job`; a new kind is one line here."""
