"""English words that carry no meaning of their own: they end a phrase and are never one."""

from __future__ import annotations

from typing import Final

_WORDS: Final = """
a able about above according across actually after afterwards again against ago all allow allowed allows almost
along already also although always am among amongst an and another any anybody anyhow anyone anything anyway
anywhere apart appear are aren't around as aside ask asked asks at away back be became because become becomes
been before beforehand begin begins behind being below beside besides best better between beyond both brief but
by call called calls came can can't cannot cause causes certain certainly change changed changes clearly come
comes contain containing contains could couldn't currently did didn't different do does doesn't doing don't done
down downwards during each early either else elsewhere end ends enough entirely especially etc even ever every
everybody everyone everything everywhere exactly example except far few fewer find finds first five follow
followed following follows for former found four from full further furthermore gave get gets getting give given
gives go goes going gone good got had half happen happened happens hardly has hasn't have haven't having he
hence her here hereby hers herself him himself his hold holds how however i i'd i'll i'm i've if immediately in
indeed instead into inward is isn't it it's its itself just keep keeps kept kind know known knows large largely
last lately later latter least leave leaves left less lest let lets like likely little long look looks made
mainly make makes making many may maybe me mean means meant meanwhile merely might mind mine more moreover most
mostly much must my myself name named namely names near nearly necessary need needed needs neither never
nevertheless new next nine no nobody none nor normally not nothing now nowhere number obvious of off often oh ok
okay old on once one ones only onto open or other others otherwise ought our ours ourselves out outside over
overall own part particular particularly per perhaps place placed please possible probably provide provided
provides put puts quite rather read reads really reason regarding relatively respectively right run running runs
said same saw say saying says second see seeing seem seemed seems seen self set sets several shall she short
should shouldn't show showed shown shows side since six small so some somebody somehow someone something
sometime sometimes somewhat somewhere soon stand stands start starts still stop stops such sure take taken takes
tell tells ten than that that's the their theirs them themselves then thence there there's thereafter thereby
therefore these they they're thing things think third this those though three through throughout thus till time
times to together too took toward towards tried tries true truly try trying turn turns twice two under unless
until up upon us use used useful uses using usually various very via want wanted wants was wasn't way ways we
we'll we're we've well went were weren't what what's whatever when whence whenever where whereas whereby wherein
whether which while who who's whoever whole whom whose why will wish with within without won't work works would
wouldn't write writes written yes yet you you'd you'll you're you've your yours yourself yourselves zero e.g i.e
"""
STOP_WORDS: Final = frozenset(_WORDS.split())
