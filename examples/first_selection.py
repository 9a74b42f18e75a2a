# %% [markdown]
# # A first selection
# Offline, in a minute, on the demo crowd that comes with crowdselect: nineteen small models that were
# trained for it and 4,200 tasks that a program can verify. It shows how things are called, not that a way of
# choosing helps large models.

# %%
import crowdselect as cs

workspace = cs.open_workspace("first-selection")
crowd = cs.ingest(workspace, "demo", [], name="demo", replace=True)
print(f"{crowd.n:,} instructions, {len(crowd.models)} models, judges: {', '.join(crowd.judges)}")

# %% [markdown]
# ## What the crowd says of an instruction
# Difficulty is minus the mean reward, separability the variance of the rewards, stability whether larger
# models of a family do better.

# %%
scores = cs.metrics(crowd, judge="verifier")
for name, values in scores.columns.items():
    print(f"{name:13} from {values.min():6.3f} to {values.max():6.3f}")

# %% [markdown]
# ## Choose
# By the paper's weights, only among instructions that some model solves (the gate), equally from ten
# clusters; and as many by chance, which is what the first has to beat.

# %%
recipe = cs.Recipe(
    crowd="demo",
    judge="verifier",
    weights={"difficulty": 1, "separability": 1, "stability": 2},
    gate={"kind": "reward", "at_least": 1},
    encoder="static",
    clusters=10,
    clustering="fast",
    budget=200,
)
selection = cs.select(crowd, recipe)
chance = cs.select(crowd, recipe.model_copy(update={"strategy": "random"}))
print(selection.reasons[0])
selection.to_frame().head()

# %%
cs.save_selection(workspace, selection, "first")
cs.save_selection(workspace, chance, "by-chance")
compared = cs.compare(workspace, ["first", "by-chance"])
print(f"{len(compared.in_all)} of 200 are in both")

# %% [markdown]
# ## Take it along
# As a data set for a trainer (needs `pip install 'crowdselect[hub]'`), or as a folder with a card and a
# manifest that says where every row comes from.

# %%
dataset = selection.to_dataset("prompt-completion")
print(dataset[0])

# %%
written = cs.export(workspace, "first", "messages")
print(f"{written.n} examples in {written.data}")
