import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from jina import Document, DocumentArray, Executor, requests
from jina.excepts import BadConfig, BadOption, ExecutorFailToLoad
from jina.executors import BaseExecutor, construct, handler_for, handlers


class Base(Executor):
    @requests
    def default(self, **kwargs):
        return 'default'

    @requests(on='/a')
    def a(self, **kwargs):
        return 'a'

    @requests(on=['/b', '/c'])
    def several(self, **kwargs):
        return 'several'


class Child(Base):
    def a(self, **kwargs):
        return 'overridden'

    @requests(on='/b')
    def b(self, **kwargs):
        return 'b of the child'


class Arguments(Executor):
    def __init__(self, foo, bar=2, **kwargs):
        super().__init__(**kwargs)
        self.foo, self.bar = foo, bar
        self.name_in_init = self.metas.name

    @requests(on='/x')
    def f(self, **kwargs):
        """Bound."""

    def g(self, **kwargs):
        """Not bound."""


def answer(executor, endpoint):
    handler = handler_for(handlers(executor), endpoint)
    return handler and handler(
        dict.fromkeys(('docs', 'parameters', 'docs_matrix', 'groundtruths', 'groundtruths_matrix'))
    )


@pytest.mark.parametrize(
    ('endpoint', 'expected'), [('/a', 'a'), ('/b', 'several'), ('/c', 'several'), ('/blah', 'default'), ('', 'default')]
)
def test_requests_bind_a_method_to_an_endpoint_to_several_or_to_all_others(endpoint, expected):
    assert answer(Base(), endpoint) == expected


def test_nothing_works_on_an_endpoint_that_nobody_is_bound_to():
    assert answer(Executor(), '/a') is None
    assert answer(Arguments(1), '/a') is None


@pytest.mark.parametrize(
    ('endpoint', 'expected'), [('/a', 'overridden'), ('/b', 'b of the child'), ('/c', 'several'), ('/z', 'default')]
)
def test_a_subclass_inherits_overrides_and_binds_anew(endpoint, expected):
    assert answer(Child(), endpoint) == expected
    assert answer(Base(), '/b') == 'several'


def test_decorators_may_be_stacked_and_static():
    class Stacked(Executor):
        @requests(on='/a')
        @requests(on='/b')
        def f(self, **kwargs):
            return 'f'

        @requests(on='/static')
        @staticmethod
        def s(docs, **kwargs):
            return 's'

    assert [answer(Stacked(), e) for e in ('/a', '/b', '/static')] == ['f', 'f', 's']


def test_a_bound_method_is_still_a_plain_one():
    class Upper(Executor):
        @requests(on='/x')
        def f(self, docs, **kwargs):
            for doc in docs:
                doc.text = doc.text.upper()

    docs = DocumentArray([Document(text='a')])
    Upper().f(docs)
    Upper().f(docs=docs, parameters={})
    assert docs[0].text == 'A'


@pytest.mark.parametrize('on', [5, [1], '/x'])
def test_a_decorator_used_wrongly_is_told_so(on):
    with pytest.raises((BadOption, TypeError)):
        requests(on) if on == '/x' else requests(on=on)


def test_the_endpoint_without_its_name_is_told_so():
    with pytest.raises(BadOption, match=r"@requests\(on='/x'\)"):
        requests('/x')


def test_a_handler_names_any_subset_of_the_arguments():
    class Subset(Executor):
        @requests(on='/one')
        def one(self, docs):
            return docs

        @requests(on='/two')
        def two(self, parameters, docs_matrix, extra=5, *args):
            return parameters, docs_matrix, extra

        @requests(on='/none')
        def none(self):
            return 'none'

    given = {'docs': 1, 'parameters': 2, 'docs_matrix': 3, 'groundtruths': 4, 'groundtruths_matrix': 5}
    table = handlers(Subset())
    assert [table[e](given) for e in ('/one', '/two', '/none')] == [1, (2, 3, 5), 'none']


def test_an_argument_that_no_method_is_given_is_refused_by_name():
    class Odd(Executor):
        @requests
        def f(self, docs, query):
            """Wants too much."""

    with pytest.raises(
        ExecutorFailToLoad, match=r"Odd\.f takes 'query', but a bound method is given: docs, parameters"
    ):
        handlers(Odd())


def test_metas_requests_and_runtime_args_are_there_without_any_init():
    class NoSuper(Executor):
        def __init__(self):
            assert self.metas.name == 'n'
            assert self.requests['/x'] == 'f'
            assert self.runtime_args.replica_id == 0

        @requests(on='/x')
        def f(self, **kwargs):
            """Bound."""

    made = construct(NoSuper, {}, {'name': 'n'}, {'/y': 'f'}, {'replica_id': 0, 'name': 'r'})
    assert (made.metas.name, made.runtime_args.name) == ('n', 'r')
    assert made.requests == {'/x': 'f', '/y': 'f'}


@pytest.mark.parametrize('call_super', ['with', 'without'])
def test_super_may_be_called_with_or_without_the_kwargs(call_super):
    class Calls(Executor):
        def __init__(self, a=1, **kwargs):
            super().__init__(**(kwargs if call_super == 'with' else {}))
            self.seen = self.metas.name

    assert construct(Calls, {'a': 2}, {'name': 'n'}).seen == 'n'


def test_metas_may_be_changed_on_their_way():
    class Changes(Executor):
        def __init__(self, metas, **kwargs):
            super().__init__(metas={**metas, 'name': 'changed'}, **kwargs)

    assert construct(Changes, {}, {'name': 'n'}).metas.name == 'changed'


def test_a_name_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(AttributeError, match="there is no 'nmae' here, only name, description, workspace, py_modules"):
        _ = Executor().metas.nmae


def test_load_config_takes_text_dict_or_file(tmp_path):
    text = 'jtype: Arguments\nwith: {foo: 1, bar: 5}\nmetas: {name: n}\nrequests: {/y: g}'
    (tmp_path / 'a.yml').write_text(text)
    for source in (text, str(tmp_path / 'a.yml'), {'jtype': 'Arguments', 'with': {'foo': 1, 'bar': 5}}):
        made = Executor.load_config(source)
        assert (type(made), made.foo, made.bar) == (Arguments, 1, 5)
    made = Executor.load_config(text)
    assert made.name_in_init == 'n'
    assert made.requests == {'/x': 'f', '/y': 'g'}


@pytest.mark.parametrize('prefix', ['uses', 'override'])
def test_what_load_config_is_given_goes_before_the_yaml(prefix):
    source = {'jtype': 'Arguments', 'with': {'foo': 1, 'bar': 1}, 'metas': {'name': 'a'}, 'requests': {'/x': 'f'}}
    changes = {'with': {'bar': 2}, 'metas': {'name': 'b'}, 'requests': {'/x': 'g'}}
    made = Executor.load_config(source, **{f'{prefix}_{key}': value for key, value in changes.items()})
    assert (made.foo, made.bar, made.metas.name, made.requests['/x']) == (1, 2, 'b', 'g')


def test_a_class_is_found_in_a_file_beside_the_yaml(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, 'path', sys.path[:])
    (tmp_path / 'neighbour_of_it.py').write_text('VALUE = 7')
    (tmp_path / 'exec_in_a_file.py').write_text(
        'import neighbour_of_it\nfrom jina import Executor\n\nclass InAFile(Executor):\n    v = neighbour_of_it.VALUE\n'
    )
    (tmp_path / 'e.yml').write_text('jtype: InAFile\npy_modules: exec_in_a_file.py')
    try:
        assert Executor.load_config(str(tmp_path / 'e.yml')).v == 7
    finally:
        for name in ('neighbour_of_it', 'exec_in_a_file'):
            del sys.modules[name]


@pytest.mark.parametrize(
    ('source', 'told'),
    [
        ('Argumints', "did you mean 'Arguments'?"),
        ('no_such_module.X', "cannot import 'no_such_module': ModuleNotFoundError"),
        ('json.JSONDecoder', 'json.JSONDecoder is no Executor: it must be a class that subclasses jina.Executor'),
        ('json.Nope', "there is no Executor class 'json.Nope' in json"),
        ({'jtype': 'X', 'py_modules': 'nope.py'}, 'FileNotFoundError: there is no file'),
        ({'jtype': 'Arguments'}, 'Arguments.__init__() raised TypeError'),
    ],
)
def test_a_class_that_cannot_be_had_is_told_with_what_to_do(source, told):
    with pytest.raises(ExecutorFailToLoad) as raised:
        Executor.load_config(source)
    assert told in str(raised.value)


def test_an_argument_that_no_constructor_names_is_told_and_may_be_read(caplog):
    class Reads(Executor):
        def __init__(self, foo=0, **kwargs):
            super().__init__(**kwargs)
            self.sum = foo + kwargs.get('bar', 0)

    assert Reads(foo=1).sum == 1
    assert not caplog.records
    assert Reads(foo=1, bar=2).sum == 3
    [record] = caplog.records
    assert record.getMessage().startswith("Reads.__init__() has no argument 'bar': without effect, unless")
    assert record.levelname == 'WARNING'
    assert record.name == 'jina.Reads'
    assert Reads(bar=1, runtime_args={'name': 'r'}).sum == 1
    assert caplog.records[1].name == 'jina.r'


def test_a_module_that_raises_is_the_cause(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, 'path', sys.path[:])
    (tmp_path / 'broken_module.py').write_text('1 / 0')
    with pytest.raises(ExecutorFailToLoad, match='ZeroDivisionError') as raised:
        Executor.load_config({'jtype': 'X', 'py_modules': str(tmp_path / 'broken_module.py')})
    assert isinstance(raised.value.__cause__, ZeroDivisionError)
    assert 'broken_module' not in sys.modules


def test_the_workspace_is_a_folder_of_ones_own(tmp_path):
    made = construct(Executor, {}, {'workspace': str(tmp_path)}, {}, {'name': 'pod0', 'replica_id': 2})
    assert made.workspace == str(tmp_path / 'pod0' / '2')
    assert Path(made.workspace).is_dir()


def test_metas_go_before_the_workspace_of_the_flow(tmp_path):
    runtime = {'name': 'pod0', 'workspace': str(tmp_path / 'flow')}
    assert construct(Executor, {}, {}, {}, runtime).workspace == str(tmp_path / 'flow' / 'pod0' / '0')
    metas = {'workspace': str(tmp_path / 'own'), 'name': 'n'}
    assert construct(Executor, {}, metas, {}, runtime).workspace == str(tmp_path / 'own' / 'n' / '0')


def test_the_name_is_that_of_the_class_where_nobody_gave_one(tmp_path):
    assert (Arguments(1).metas.name, Arguments(1).name_in_init, Executor().metas.name) == ('Arguments',) * 2 + (
        'BaseExecutor',
    )
    assert Executor.load_config('{jtype: Arguments, with: {foo: 1}, metas: {name: }}').name_in_init == 'Arguments'
    assert construct(Arguments, {'foo': 1}, {'name': 'n'}, {}, {'name': 'pod0'}).name_in_init == 'n'
    assert construct(Arguments, {'foo': 1}, {}, {}, {'name': 'pod0'}).name_in_init == 'Arguments'


@pytest.mark.parametrize(
    ('metas', 'runtime_args', 'folder'),
    [
        ({}, {'pea_id': 1, 'name': 'q'}, 'q/1'),
        ({}, {'replica_id': 2, 'name': 'q'}, 'q/2'),
        ({}, {'shard_id': 2, 'name': 'q'}, 'q/2'),
        ({}, {'pea_id': 1}, 'Arguments/1'),
        ({'name': 'n'}, {'pea_id': 1, 'name': 'q'}, 'n/1'),
        ({'name': ''}, {'name': 'q'}, 'q/0'),
        ({'name': None}, {}, 'Arguments/0'),
    ],
)
def test_the_name_that_it_was_given_names_the_folder(tmp_path, metas, runtime_args, folder):
    made = Arguments(1, metas=metas, runtime_args={'workspace': str(tmp_path), **runtime_args})
    assert made.workspace == str(tmp_path / folder)


def test_a_configuration_may_name_it_after_its_class(tmp_path):
    made = construct(Arguments, {'foo': 1}, {'name': 'Arguments'}, {}, {'workspace': str(tmp_path), 'name': 'q'})
    assert made.workspace == str(tmp_path / 'Arguments' / '0')
    assert saved(made, tmp_path)['metas'] == {'name': 'Arguments'}


def test_metas_may_be_handed_on_and_the_name_be_set(tmp_path):
    class Wraps(Executor):
        def __init__(self, metas, runtime_args, **kwargs):
            super().__init__(metas={**self.metas, **metas}, runtime_args=runtime_args, **kwargs)

    made = construct(Wraps, {}, {}, {}, {'name': 'pod0', 'workspace': str(tmp_path)})
    assert made.workspace == str(tmp_path / 'pod0' / '0')
    made.metas.name = 'mine'
    assert made.workspace == str(tmp_path / 'mine' / '0')


def test_without_a_workspace_it_is_told_how_to_give_one():
    with pytest.raises(BadConfig, match=r"Executor 'Executor|BaseExecutor' has no workspace: give one with Flow"):
        _ = Executor().workspace


def test_an_executor_is_a_context_that_closes():
    closed = []

    class Closing(Executor):
        def close(self):
            closed.append(self)

    with Closing() as made:
        assert closed == []
    assert closed == [made]


def test_the_old_name_is_the_same_class():
    assert Executor is BaseExecutor


def saved(executor, folder):
    executor.save_config(folder / 'saved.yml')
    return yaml.safe_load((folder / 'saved.yml').read_text())


def test_what_is_saved_is_loaded_again(tmp_path):
    bar = {'list': [1, 'ä', None, {'deep': True}], 'text': 'a\nb: c'}
    made = Arguments(1.5, bar=bar, metas={'name': 'n'}, requests={'/y': 'g'})
    made.save_config(tmp_path / 'saved.yml')
    loaded = Executor.load_config(str(tmp_path / 'saved.yml'))
    assert (type(loaded), loaded.foo, loaded.bar, loaded.name_in_init) == (Arguments, 1.5, bar, 'n')
    assert loaded.requests == {'/x': 'f', '/y': 'g'}


PLAIN = st.none() | st.booleans() | st.integers() | st.text(st.characters(codec='utf-8'))


@settings(deadline=None, max_examples=30)
@given(
    foo=st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=8)
)
@example(foo=['\x85', {'x\x85y': '\u2028 \x1f'}])
def test_any_plain_argument_is_loaded_again(foo, tmp_path_factory):
    assume('$' not in str(foo))  # a variable would be expanded
    path = tmp_path_factory.getbasetemp() / 'any.yml'
    Arguments(foo).save_config(path)
    assert Executor.load_config(str(path)).foo == foo


def test_what_load_config_changed_is_saved_too(tmp_path):
    made = Executor.load_config({'jtype': 'Arguments', 'with': {'foo': 1, 'bar': 1}}, uses_with={'bar': 2})
    assert saved(made, tmp_path)['with'] == {'foo': 1, 'bar': 2}


def test_only_what_was_set_is_saved(tmp_path):
    class Plain(Executor):
        __module__ = '__main__'

    assert saved(Plain(), tmp_path) == {'jtype': 'Plain'}
    assert saved(Executor(), tmp_path) == {'jtype': 'BaseExecutor'}


def test_any_program_finds_a_class_that_is_in_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, 'path', sys.path[:])
    file = tmp_path / 'exec_to_be_saved.py'
    file.write_text('from jina import Executor\n\nclass ToBeSaved(Executor):\n    pass\n')
    made = Executor.load_config({'jtype': 'ToBeSaved', 'py_modules': str(file)})
    (tmp_path / 'elsewhere').mkdir()
    try:
        assert saved(made, tmp_path) == {'jtype': 'ToBeSaved', 'py_modules': ['exec_to_be_saved.py']}
        assert saved(made, tmp_path / 'elsewhere')['py_modules'] == [str(file)]
        assert type(Executor.load_config(str(tmp_path / 'saved.yml'))) is type(made)
    finally:
        del sys.modules['exec_to_be_saved']


def test_a_class_of_a_package_is_saved_with_the_module(tmp_path):
    class Inside(Executor):
        __module__ = 'jina.executors.loading'

    assert saved(Inside(), tmp_path)['py_modules'] == ['jina.executors.loading']


def test_what_yaml_cannot_express_is_told(tmp_path):
    with pytest.raises(BadConfig, match=r"Arguments: bar of 'with' cannot be written as YAML.*<object"):
        Arguments(1, bar=object()).save_config(tmp_path / 'saved.yml')
    assert not (tmp_path / 'saved.yml').exists()


def test_arguments_without_a_name_cannot_be_saved(tmp_path):
    class Many(Executor):
        def __init__(self, *numbers, **kwargs):
            super().__init__(**kwargs)

    with pytest.raises(BadConfig, match=r'Many: arguments without a name cannot be written as YAML: \(1, 2\)'):
        Many(1, 2).save_config(tmp_path / 'saved.yml')
