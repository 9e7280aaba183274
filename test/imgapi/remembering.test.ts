import test from 'ava';
import { remembering } from '../../imgapi/remembering.js';

function counted(most: number) {
  const asked: string[] = [];
  const answer = remembering(
    (text: string) => {
      asked.push(text);
      if (text === '') throw new Error('nothing was asked');
      return text.startsWith('y');
    },
    most,
    ({ length }) => length,
  );
  return { asked, answer };
}

test('answers again without asking, also with no', (t) => {
  const { asked, answer } = counted(100);
  t.deepEqual(['yes', 'no', 'no', 'yes'].map(answer), [true, false, false, true]);
  t.deepEqual(asked, ['yes', 'no']);
});

test('forgets the oldest where the memory is full, and no more than it must', (t) => {
  const { asked, answer } = counted(6);
  for (const text of ['yes', 'no', 'yy']) answer(text);
  answer('no');
  answer('yy');
  t.deepEqual(asked, ['yes', 'no', 'yy']);
  answer('yes');
  t.deepEqual(asked, ['yes', 'no', 'yy', 'yes']);
});

test('what is larger than the memory is answered, and leaves it empty', (t) => {
  const { asked, answer } = counted(6);
  answer('no');
  t.true(answer('yes, of course'));
  t.true(answer('yes, of course'));
  t.false(answer('no'));
  t.deepEqual(asked, ['no', 'yes, of course', 'yes, of course', 'no']);
});

test('a refusal is not remembered', (t) => {
  const { asked, answer } = counted(6);
  t.throws(() => answer(''), { message: 'nothing was asked' });
  t.throws(() => answer(''), { message: 'nothing was asked' });
  t.deepEqual(asked, ['', '']);
});
