import fc from 'fast-check';

/**
 * The properties' inputs follow from this seed, so that a change is judged by itself and not by the day's luck.
 * `FC_SEED=$RANDOM npm test` looks further; `npm run fuzz -- --seed N` further still.
 */
fc.configureGlobal({ seed: Number(process.env.FC_SEED ?? 1) });

export default fc;
